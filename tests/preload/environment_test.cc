// A bare LD_PRELOAD: the environment's own words, and those that people have in their scripts.

#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class EnvironmentTest : public PreloadTest {
 protected:
  Words SourcesOf(const Words &env, const Words &servers = {kServer4}) const {
    Words words{Program("source")};
    words.insert(words.end(), servers.begin(), servers.end());
    return Lines(Preloaded(words, env));
  }
};

const char kTelecom[] = "10.0.0.1 0", kUnicom[] = "10.1.0.1 0", kOther[] = "10.1.0.2 0";

TEST_F(EnvironmentTest, OwnWords) {
  EXPECT_THAT(SourcesOf({}), ElementsAre(kTelecom));
  EXPECT_THAT(SourcesOf({"SRCSEL_SOURCE=10.1.0.1,fd00:1::1"},
                        {kServer4, kServer6, "127.0.0.1", "10.0.0.1", "::1"}),
              ElementsAre(kUnicom, "fd00:1::1 0", "127.0.0.1 0", kTelecom, "::1 0"));
  EXPECT_THAT(SourcesOf({"SRCSEL_MARK=100"}, {kServer4, kServer6, "10.0.0.1"}),
              ElementsAre(kUnicom, "fd00:1::1 0", kTelecom));
  EXPECT_THAT(SourcesOf({"SRCSEL_MARK=0x64/0xff"}), ElementsAre(kUnicom));
  EXPECT_THAT(SourcesOf({"SRCSEL_SOURCE=10.1.0.2,fd00:1::1", "SRCSEL_PORTS=40000-40100"}),
              ElementsAre(kOther));
}

TEST_F(EnvironmentTest, WithThePrivilegeAMarkIsSet) {
  const Result result = Run({.argv = {Program("source"), kServer4, "10.0.0.1"},
                             .env = {"SRCSEL_MARK=100", "LD_PRELOAD=" + library()}});
  EXPECT_EQ(result.out, "10.1.0.1 100\n10.0.0.1 0\n");
}

TEST_F(EnvironmentTest, WhatIsNotUnderstoodIsNotDone) {
  for (const char *word :
       {"SRCSEL_SOURCE=10.1.0", "SRCSEL_SOURCE=10.1.0.1x", "SRCSEL_SOURCE=dev eth1",
        "SRCSEL_SOURCE=", "SRCSEL_MARK=hundred", "SRCSEL_MARK=0x164/0xff",
        "SRCSEL_MARK=99999999999", "SRCSEL_SOURCE=192.0.2.9"}) {
    EXPECT_THAT(SourcesOf({word}), ElementsAre(kTelecom)) << word;
  }
  EXPECT_THAT(SourcesOf({"SRCSEL_SOURCE=10.1.0.1"}, {kServer6}), ElementsAre("fd00::1 0"));
}

TEST_F(EnvironmentTest, WordsOfOthers) {
  EXPECT_THAT(SourcesOf({"BIND_ADDR=10.1.0.1"}), ElementsAre(kUnicom));
  EXPECT_THAT(SourcesOf({"BIND_SOURCE_IP=10.1.0.2"}), ElementsAre(kOther));
  EXPECT_THAT(SourcesOf({"SRCIP=10.1.0.2", "DEVICE=eth1", "FWMARK=100"}), ElementsAre(kOther));
  EXPECT_THAT(SourcesOf({"FWMARK=0x64"}), ElementsAre(kUnicom));
  EXPECT_THAT(SourcesOf({"BIND_INTERFACE=eth1"}, {"10.1.0.254"}), ElementsAre(kUnicom));
  EXPECT_THAT(SourcesOf({"DEVICE=cuda:0"}), ElementsAre(kTelecom));
  EXPECT_THAT(SourcesOf({"BIND_ADDR=10.1.0.1", "BIND_EXCLUDE=10.,192.0.2.81"},
                        {kServer4, kOtherServer4, "10.0.0.254"}),
              ElementsAre(kUnicom, kTelecom, kTelecom));
  EXPECT_THAT(SourcesOf({"BIND_ADDR=10.1.0.1", "SRCSEL_SOURCE=10.0.0.1"}), ElementsAre(kTelecom));
}

TEST_F(EnvironmentTest, ItSaysNothingUnlessAsked) {
  const Words words{Program("source"), kServer4};
  EXPECT_EQ(Run(Preloaded(words, {"SRCSEL_SOURCE=10.1.0.1"})).err, "");
  EXPECT_EQ(Run(Preloaded(words, {"SRCSEL_SOURCE=10.1.0.1", "SRCSEL_DEBUG=1"})).err,
            "srcsel: 192.0.2.80 port 53: source, source 10.1.0.1\n");
}

}  // namespace
}  // namespace srcsel::lab
