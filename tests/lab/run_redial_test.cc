// One socket, connected more than once: nothing of an earlier connect makes a later one fail.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::ElementsAre;

class RunRedialTest : public RunTest, public testing::WithParamInterface<Words> {
 protected:
  void SetUp() override { ASSERT_TRUE(RouteBySource(lab_).ok()); }

  // The source of each connect, or why it failed.
  Words Redial(const Words &arguments) {
    Words words{REDIAL};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const Result redial = Run(GetParam(), words);
    EXPECT_TRUE(redial.ok()) << redial.ToString();
    Words sources = absl::StrSplit(redial.out, '\n', absl::SkipEmpty());
    for (std::string &line : sources) line = SourceIn(line);
    return sources;
  }
};

INSTANTIATE_TEST_SUITE_P(, RunRedialTest,
                         testing::Values(Words{"--mark", "100"},
                                         Words{"--mark", "100", "--apply", "bind"},
                                         Words{"--source", "10.1.0.1,fd00:1::1"}),
                         [](const auto &options) {
                           return options.param.size() == 4      ? "ApplyBind"
                                  : options.param[0] == "--mark" ? "Mark"
                                                                 : "Source";
                         });

TEST_P(RunRedialTest, UdpToAnotherDestination) {
  EXPECT_THAT(Redial({"-u", kServer4, "53", kOtherServer4, "53"}),
              ElementsAre(kUnicomSource4, kUnicomSource4));
  EXPECT_THAT(Redial({"-u", kServer6, "53", kOtherServer6, "53"}),
              ElementsAre(kUnicomSource6, kUnicomSource6));
}

// As a resolver does that sorts addresses.
TEST_P(RunRedialTest, UdpDissolvedInBetween) {
  EXPECT_THAT(Redial({"-u", "-d", kServer4, "53", kOtherServer4, "53"}),
              ElementsAre(kUnicomSource4, kUnicomSource4));
  EXPECT_THAT(Redial({"-u", "-d", kServer6, "53", kOtherServer6, "53"}),
              ElementsAre(kUnicomSource6, kUnicomSource6));
}

TEST_P(RunRedialTest, UdpToThisHostAndBack) {
  EXPECT_THAT(Redial({"-u", "-d", "127.0.0.1", "53", kServer4, "53"}),
              ElementsAre("127.0.0.1", kUnicomSource4));
  EXPECT_THAT(Redial({"-u", "-d", "::1", "53", kServer6, "53"}),
              ElementsAre("::1", kUnicomSource6));
}

// What a hook has bound or marked is taken back.
TEST_P(RunRedialTest, UdpFromTheServerToThisHost) {
  EXPECT_THAT(Redial({"-u", "-d", kServer4, "53", kTelecomSource4, "53"}),
              ElementsAre(kUnicomSource4, kTelecomSource4));
  EXPECT_THAT(Redial({"-u", "-d", kServer6, "53", kTelecomSource6, "53"}),
              ElementsAre(kUnicomSource6, kTelecomSource6));
}

TEST_P(RunRedialTest, TcpAfterARefusal) {
  Nginx nginx = Nginx::Start(lab_.host("server")).value();
  EXPECT_THAT(Redial({kServer4, "81", kServer4, "80"}),
              ElementsAre("ECONNREFUSED", kUnicomSource4));
  EXPECT_THAT(Redial({kServer6, "81", kServer6, "80"}),
              ElementsAre("ECONNREFUSED", kUnicomSource6));
}

TEST_P(RunRedialTest, TcpDissolvedAfterARefusal) {
  Nginx nginx = Nginx::Start(lab_.host("server")).value();
  EXPECT_THAT(Redial({"-d", kServer4, "81", kOtherServer4, "80"}),
              ElementsAre("ECONNREFUSED", kUnicomSource4));
}

TEST_P(RunRedialTest, TcpDissolvedWhileConnected) {
  Nginx nginx = Nginx::Start(lab_.host("server")).value();
  EXPECT_THAT(Redial({"-d", kServer4, "80", kOtherServer4, "80"}),
              ElementsAre(kUnicomSource4, kUnicomSource4));
}

}  // namespace
}  // namespace srcsel::lab
