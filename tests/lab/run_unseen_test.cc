// What a hook sees otherwise than the kernel or the program: docs/limits.md lists it, this holds it
// to be so.

#include "lab/run_eventually.hh"
#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {
namespace {

class RunUnseenTest : public RunTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(RouteBySource(lab_).ok());
    ASSERT_EQ(server_.WaitForLine("").value(), "listening");
  }

  std::string Seen(const Words &options, const char *flow) const {
    const Result result = Run(options, {"python3", PROGRAMS "/unseen.py", flow});
    EXPECT_TRUE(result.ok()) << result.ToString();
    return result.out.substr(0, result.out.find('\n'));
  }
  std::string SeenUnder(const char *selector, const char *flow) const {
    const std::string rule = std::string("[[rule]]\n") + selector + "\nsource = \"10.1.0.1\"\n";
    EXPECT_TRUE(files_.Write("policy.toml", rule).ok());
    return Seen({"--policy", files_.path() + "/policy.toml"}, flow);
  }

  Process server_ = lab_.host("server").Spawn({.argv = {"python3", PROGRAMS "/whoami.py"}}).value();
  TempDir files_ = TempDir::Make().value();
};

TEST_F(RunUnseenTest, TheSourceOfOneDatagramIsSeenAndRespected) {
  EXPECT_EQ(Seen({"--source", "10.1.0.1"}, "plain-datagram"), kUnicomSource4);
  EXPECT_EQ(Seen({"--source", "10.1.0.1"}, "source-of-a-datagram"), kTelecomSource4);
}

// It leaves by eth1, where the kernel alone would have taken eth1's first address.
TEST_F(RunUnseenTest, TheDeviceOfOneDatagramIsNot) {
  EXPECT_EQ(Seen({"--source", "10.1.0.2"}, "device-of-a-datagram"), kUnicomOtherSource4);
}

TEST_F(RunUnseenTest, TheMarkOfOneDatagramIsNot) {
  EXPECT_EQ(SeenUnder("if-mark = 7", "mark-of-a-datagram"), kTelecomSource4);
  EXPECT_EQ(SeenUnder("if-mark = 0", "mark-of-a-datagram"), kUnicomSource4);
}

// Only before it is connected does an option for groups say what the socket is for.
TEST_F(RunUnseenTest, TheMarkOfAConnectionStays) {
  EXPECT_EQ(Seen({"--mark", "100"}, "mark-once-connected"), "{100}");
}

TEST_F(RunUnseenTest, TheUserIsWhoeverConnects) {
  EXPECT_EQ(SeenUnder("uidrange = \"1000\"", "socket-of-root"), kUnicomSource4);
  EXPECT_EQ(SeenUnder("uidrange = \"1000\"", "connected-by-root"), kTelecomSource4);
}

// seteuid(2): the real user is another.
TEST_F(RunUnseenTest, TheUserAndTheGroupAreThoseItActsUnder) {
  EXPECT_EQ(SeenUnder("uidrange = \"1000\"", "acting-as-another"), kUnicomSource4);
  EXPECT_EQ(SeenUnder("uidrange = \"0\"", "acting-as-another"), kTelecomSource4);
  EXPECT_EQ(SeenUnder("gid = \"1000\"", "acting-as-another"), kUnicomSource4);
  EXPECT_EQ(SeenUnder("gid = \"0\"", "acting-as-another"), kTelecomSource4);
}

TEST_F(RunUnseenTest, TheCommandIsTheThreads) {
  EXPECT_EQ(SeenUnder("comm = \"courier\"", "thread-of-another-name"), kUnicomSource4);
  EXPECT_EQ(SeenUnder("comm = \"python3\"", "thread-of-another-name"), kTelecomSource4);
}

TEST_F(RunUnseenTest, AProcessThatLeavesTheCgroupIsBeyondTheRun) {
  const std::string other = cgroup_.path() + "/other";
  ASSERT_TRUE(RunPlain({"mkdir", other}).ok());
  const Result run = Run({"--source", "10.1.0.1"}, {"sh", "-c",
                                                    "dial() { " DIAL " -u 192.0.2.80 53; }; dial; "
                                                    "(echo 0 > " +
                                                        other + "/cgroup.procs; dial); dial"});
  EXPECT_THAT(run.out, testing::MatchesRegex("10.1.0.1 [0-9]+\n10.0.0.1 [0-9]+\n10.1.0.1 "
                                             "[0-9]+\n"))
      << run.ToString();
  EXPECT_TRUE(Eventually([&] { return RunPlain({"rmdir", other}).ok(); }));
}

}  // namespace
}  // namespace srcsel::lab
