// srcsel run below what is up: the run is the more particular, and decides.

#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::StartsWith;

class UpRunTest : public UpTest {
 protected:
  std::string RunWith(const Words &options, const Words &dial) const {
    Words words{SRCSEL, "run", "-q"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", DIAL, "-u", "-k"});
    words.insert(words.end(), dial.begin(), dial.end());
    words.insert(words.end(), {kServer4, "53"});
    const Result run = Run(words);
    EXPECT_TRUE(run.ok()) << run.ToString();
    return run.out;
  }
};

TEST_F(UpRunTest, ItsSourceHolds) {
  MustUp(kBySource);
  EXPECT_THAT(RunWith({"--source", "10.1.0.1"}, {}), StartsWith("10.1.0.1 "));
  EXPECT_EQ(Source(), kUnicomOtherSource4);
}

TEST_F(UpRunTest, ItsMarkHolds) {
  MustUp("[[rule]]\nmark = 200\n");
  EXPECT_THAT(RunWith({"--mark", "100"}, {}),
              AllOf(StartsWith("10.1.0.1 "), EndsWith("mark 100\n")));
}

// What is up uses the same mark, for others: it is not one that an earlier decision left.
TEST_F(UpRunTest, ItsMarkIsNotTakenBack) {
  MustUp("[[rule]]\nto = '192.0.2.81'\nmark = 100\n");
  EXPECT_THAT(RunWith({"--mark", "100"}, {}),
              AllOf(StartsWith("10.1.0.1 "), EndsWith("mark 100\n")));
  EXPECT_THAT(RunWith({"--mark", "100"}, {"-n", "2"}), EndsWith("mark 100\n"));
  EXPECT_THAT(RunWith({"--source", "10.1.0.2"}, {}), StartsWith("10.1.0.2 "));
}

// The mark that what is up would give a socket as it is made is no application's.
TEST_F(UpRunTest, ItsSourceHoldsForDatagramsThatAreNotConnected) {
  MustUp("[[rule]]\nmark = 100\n");
  Process server = lab_.host("server").Spawn({.argv = {"python3", PROGRAMS "/whoami.py"}}).value();
  ASSERT_EQ(server.WaitForLine("").value(), "listening");
  const Words send{"python3", PROGRAMS "/unseen.py", "plain-datagram"};
  Words run{SRCSEL, "run", "-q", "--source", "10.1.0.2", "--"};
  run.insert(run.end(), send.begin(), send.end());
  EXPECT_EQ(Run(send).out, "10.1.0.1\n");
  EXPECT_EQ(Run(run).out, "10.1.0.2\n");
}

}  // namespace
}  // namespace srcsel::lab
