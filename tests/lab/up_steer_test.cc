// --steer: the ip rules by source that are added, and that go.

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "lab/egress.hh"
#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class UpSteerTest : public UpTest {
 protected:
  // No fwmark rule leads to Unicom: what has its address goes astray.
  void SetUp() override {
    UpTest::SetUp();
    for (const char *family : {"-4", "-6"})
      ASSERT_TRUE(client_.Ip(absl::StrCat(family, " rule del fwmark 100 table 100")).ok());
  }
  void TearDown() override {
    UpTest::TearDown();
    EXPECT_EQ(Rules(), "");
  }
  // What srcsel has added.
  std::string Rules() const {
    const std::string rules =
        client_.Ip("-4 rule show").value() + client_.Ip("-6 rule show").value();
    std::string own;
    for (absl::string_view line : absl::StrSplit(rules, '\n'))
      if (absl::StrContains(line, "proto 83") || absl::StrContains(line, "proto 115"))
        absl::StrAppend(&own, line, "\n");
    return own;
  }
  // By somebody in another network namespace.
  Result Elsewhere(Words words) const {
    words.insert(words.begin(), SRCSEL);
    return lab_.host("telecom").Run(CommandOf(std::move(words), keeper_.path())).value();
  }
  // Of the line that a dialling program prints.
  static std::string PortIn(const std::string &line) {
    return std::vector<std::string>(absl::StrSplit(absl::StripSuffix(line, "\n"), ' ')).back();
  }
  // Where what has the source, and the mark, would leave.
  std::string WayOf(const char *source, int mark = 0) const {
    return client_.Ip(absl::StrCat("-4 route get ", kServer4, " from ", source, " mark ", mark))
        .value();
  }
  // A table that leads to Telecom.
  void AddTelecomTable() const {
    ASSERT_TRUE(
        client_.Ip("route add default via 10.0.0.254 dev eth0 src 10.0.0.1 table 200").ok());
  }
};

TEST_F(UpSteerTest, SourcesLeaveByTheirUplinks) {
  const Result up = Up(kBySource, {"--steer"});
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out,
              AllOf(HasSubstr("note: rule.source: 10.1.0.2 leaves by eth0, not by eth1, "),
                    HasSubstr("; srcsel steers it: ip rule pref 32765 from 10.1.0.2 lookup 100\n"),
                    HasSubstr("apart for good")));
  EXPECT_THAT(Rules(), HasSubstr("from 10.1.0.2 lookup 100 proto 83"));
  EXPECT_THAT(WayOf("10.1.0.2"), HasSubstr("dev eth1"));
  EXPECT_EQ(Source(), kUnicomOtherSource4);
  ASSERT_TRUE(Srcsel({"down", "-q"}).ok());
  EXPECT_EQ(Rules(), "");
  EXPECT_THAT(WayOf("10.1.0.2"), HasSubstr("dev eth0"));
}

TEST_F(UpSteerTest, SourcesOfIpv6LeaveByTheirUplinksToo) {
  const auto way = [&] {
    return client_.Ip(absl::StrCat("-6 route get ", kServer6, " from fd00:1::2")).value();
  };
  const Words dial{DIAL, "-u", kServer6, "53"};
  EXPECT_THAT(way(), HasSubstr("dev eth0"));
  const Result up = Up("[[rule]]\nsource = 'fd00:1::2'\n", {"--steer"});
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out,
              HasSubstr("srcsel steers it: ip rule pref 32765 from fd00:1::2 lookup 100\n"));
  EXPECT_THAT(Rules(), HasSubstr("from fd00:1::2 lookup 100 proto 83"));
  EXPECT_THAT(way(), HasSubstr("dev eth1"));
  Egress egress = Egress::Start(client_).value();
  const Endpoint local = Endpoint::Parse("fd00:1::2", PortIn(Run(dial).out)).value();
  EXPECT_EQ(egress.DevicesOf({local, IpAddress::Parse(kServer6).value()}).value(), "eth1");
  ASSERT_TRUE(Srcsel({"down", "-q"}).ok());
  EXPECT_EQ(Rules(), "");
  EXPECT_THAT(way(), HasSubstr("dev eth0"));
  const Result run = Run(
      {SRCSEL, "run", "-q", "--steer", "--source", "fd00:1::2", "--", DIAL, "-u", kServer6, "53"});
  EXPECT_TRUE(run.ok()) << run.ToString();
  const Endpoint ran = Endpoint::Parse("fd00:1::2", PortIn(run.out)).value();
  EXPECT_EQ(egress.DevicesOf({ran, IpAddress::Parse(kServer6).value()}).value(), "eth1");
  EXPECT_TRUE(Eventually([&] { return Rules().empty(); }));
}

TEST_F(UpSteerTest, RulesFollowThePolicyAndAreMended) {
  ASSERT_TRUE(Up(kBySource, {"-q", "--steer"}).ok());
  PolicyFile("[[rule]]\nsource = '10.1.0.1'\n");
  ASSERT_TRUE(Srcsel({"reload", "-q"}).ok());
  EXPECT_THAT(Rules(), AllOf(HasSubstr("from 10.1.0.1 lookup 100"), Not(HasSubstr("10.1.0.2"))));
  ASSERT_TRUE(client_.Ip("-4 rule del from 10.1.0.1 lookup 100").ok());
  EXPECT_TRUE(Eventually([&] { return Rules().find("10.1.0.1") != std::string::npos; }));
}

TEST_F(UpSteerTest, RulesTakeNothingFromMarks) {
  AddTelecomTable();
  ASSERT_TRUE(client_.Ip("rule add pref 32764 fwmark 200 lookup 200").ok());
  ASSERT_TRUE(Up(kBySource, {"-q", "--steer"}).ok());
  EXPECT_THAT(WayOf("10.1.0.2"), HasSubstr("dev eth1"));
  EXPECT_THAT(WayOf("10.1.0.2", 200), HasSubstr("dev eth0"));
  // The kernel puts it behind those of its preference.
  ASSERT_TRUE(client_.Ip("rule add pref 32765 fwmark 201 lookup 200").ok());
  EXPECT_TRUE(Eventually([&] { return absl::StrContains(WayOf("10.1.0.2", 201), "dev eth0"); }));
  EXPECT_TRUE(Eventually([&] { return absl::StrContains(WayOf("10.1.0.2"), "dev eth1"); }));
  EXPECT_EQ(Rules(), "32765:\tfrom 10.1.0.2 lookup 100 proto 83\n");
}

// What has no mark is led by a rule by fwmark, before that of the mark.
TEST_F(UpSteerTest, WhereARuleWouldTakeFromAMarkThereIsNone) {
  AddTelecomTable();
  ASSERT_TRUE(client_
                  .IpBatch("-4", {"rule add pref 1000 fwmark 0/0xff lookup 200",
                                  "rule add pref 2000 fwmark 5/0xff lookup 200"})
                  .ok());
  const Result up = Up(kBySource, {"--steer"});
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out,
              AllOf(HasSubstr("warning: rule.source: 10.1.0.2 leaves by eth0, not by eth1, "),
                    HasSubstr("what is missing is a place for a rule that takes nothing from ip "
                              "rule 2000, by fwmark, as this one does: ip rule add pref 999 from "
                              "10.1.0.2 lookup 100\n")));
  EXPECT_EQ(Rules(), "");
  EXPECT_THAT(WayOf("10.1.0.2", 5), HasSubstr("dev eth0"));
}

TEST_F(UpSteerTest, RulesOutliveTheProcessAndGoWithoutIt) {
  ASSERT_TRUE(Up(kBySource, {"-q", "--steer"}).ok());
  KillFollower();
  EXPECT_THAT(Rules(), HasSubstr("from 10.1.0.2 lookup 100"));
  ASSERT_TRUE(Srcsel({"down", "-q"}).ok());
  EXPECT_EQ(Rules(), "");
}

TEST_F(UpSteerTest, RulesGoFromWhereverItIsTakenDown) {
  ASSERT_TRUE(Elsewhere({"up", "-q", "--steer", "--netns", client_.netns().Path(), "--policy",
                         PolicyFile(kBySource), "--cgroup", cgroup_.path()})
                  .ok());
  KillFollower();
  EXPECT_THAT(Rules(), HasSubstr("from 10.1.0.2 lookup 100"));
  EXPECT_EQ(Elsewhere({"down"}).err, "srcsel: down\n");
  EXPECT_EQ(Rules(), "");
}

// It is found by a process that is in it, and so named.
TEST_F(UpSteerTest, RulesGoFromANamespaceWithoutAName) {
  ASSERT_TRUE(Up(kBySource, {"-q", "--steer"}).ok());
  KillFollower();
  const Process inside = Spawn({"cat"});
  EXPECT_THAT(Elsewhere({"status"}).out,
              HasSubstr(absl::StrCat(" --steer --netns /proc/", inside.pid(), "/ns/net\n")));
  EXPECT_EQ(Elsewhere({"down"}).err, "srcsel: down\n");
  EXPECT_EQ(Rules(), "");
}

TEST_F(UpSteerTest, WhereTheirNamespaceIsNotFoundItSaysWhatRemovesThem) {
  ASSERT_TRUE(Up(kBySource, {"-q", "--steer"}).ok());
  KillFollower();
  const Result down = Elsewhere({"down"});
  EXPECT_EQ(down.status, 1);
  constexpr char kRemedy[] = "ip rule flush protocol 83 && ip -6 rule flush protocol 83";
  EXPECT_THAT(down.err, AllOf(HasSubstr("all is down but the ip rules of --steer"),
                              HasSubstr(absl::StrCat("removes them there: ", kRemedy, "\n"))));
  EXPECT_NE(Rules(), "");
  ASSERT_TRUE(client_.Run({.argv = {"sh", "-c", kRemedy}})->ok());
  EXPECT_EQ(Rules(), "");
}

TEST_F(UpSteerTest, WithoutItOnlyTheCommandIsSaid) {
  const Result up = Up(kBySource);
  EXPECT_THAT(up.out, HasSubstr("warning: rule.source: 10.1.0.2 leaves by eth0"));
  EXPECT_THAT(up.out, HasSubstr("ip rule add pref 32765 from 10.1.0.2 lookup 100"));
  EXPECT_EQ(Rules(), "");
}

// Those of runs stay until the last of them has ended, also where one was killed before.
TEST_F(UpSteerTest, RunsShareTheirRules) {
  const auto run = [&](const char *source) {
    return Words{SRCSEL, "run", "-q", "--steer", "--source", source,   "--",
                 DIAL,   "-u",  "-w", "-n",      "1000",     kServer4, "53"};
  };
  Process first = Spawn(run("10.1.0.1")), second = Spawn(run("10.1.0.2"));
  ASSERT_TRUE(first.WaitForLine("10.1.0.1 ").ok());
  ASSERT_TRUE(second.WaitForLine("10.1.0.2 ").ok());
  EXPECT_THAT(Rules(), AllOf(HasSubstr("from 10.1.0.1 lookup 100 proto 115"),
                             HasSubstr("from 10.1.0.2 lookup 100 proto 115")));
  first.CloseInput();
  EXPECT_TRUE(first.Wait().ok());
  EXPECT_THAT(Rules(), HasSubstr("from 10.1.0.2 lookup 100"));
  second.CloseInput();
  EXPECT_TRUE(second.Wait().ok());
  EXPECT_TRUE(Eventually([&] { return Rules().empty(); }));
}

TEST_F(UpSteerTest, WhatAKilledRunHasLeftIsFound) {
  Process killed = Spawn({SRCSEL, "run", "-q", "--steer", "--source", "10.1.0.1", "--", "sh", "-c",
                          "echo ready; exec cat"});
  ASSERT_TRUE(killed.WaitForLine("ready").ok());
  const pid_t custodian = FindCustodian(cgroup_).value();
  ASSERT_EQ(kill(custodian, SIGKILL), 0);
  ASSERT_TRUE(WaitUntilEnded(custodian).ok());
  killed.CloseInput();
  EXPECT_TRUE(killed.Wait().ok());
  EXPECT_THAT(Rules(), HasSubstr("from 10.1.0.1"));
  EXPECT_TRUE(Run({SRCSEL, "run", "-q", "--steer", "--source", "10.1.0.2", "--", "true"}).ok());
  EXPECT_TRUE(Eventually([&] { return Rules().empty(); }));
}

}  // namespace
}  // namespace srcsel::lab
