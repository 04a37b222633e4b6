// Network namespaces: entered by --netns, by `ip netns exec` before the run, and within it, where
// the tables of the run's own namespace mean nothing.

#include <sched.h>
#include <sys/mount.h>

#include "absl/strings/str_cat.h"
#include "lab/run_custody.hh"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class RunNetnsTest : public RunTest {
 protected:
  // Names of namespaces live in /run/netns. Here it is this process's own, so that names neither
  // meet those of other tests nor outlive it.
  static void SetUpTestSuite() {
    ASSERT_EQ(unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(mount("run", "/run", "tmpfs", 0, nullptr), 0);
  }

  void SetUp() override {
    ASSERT_TRUE(client_.Run({.argv = {"sh", "-c", "ip netns attach blue $$"}})->ok());
  }
  void TearDown() override {
    EXPECT_TRUE(client_.Do("ip netns del blue").ok());
    RunTest::TearDown();
  }

  // The same, typed on a host whose tables know nothing of two uplinks.
  Result RunElsewhere(const Words &options, const Words &command) const {
    return lab_.host("telecom").Run(Srcsel(options, command)).value();
  }

  const Words kDial{DIAL, "-u", "-k", kServer4, "53"};
};

TEST_F(RunNetnsTest, IsEnteredByName) {
  const Result dial = RunElsewhere({"--netns", "blue", "--mark", "100"}, kDial);
  EXPECT_THAT(dial.out, StartsWith("10.1.0.1 ")) << dial.ToString();
}

TEST_F(RunNetnsTest, IsEnteredByPath) {
  for (const std::string &path : {client_.netns().Path(), std::string("/run/netns/blue")}) {
    const Result dial = RunElsewhere({"--netns", path, "--mark", "100"}, kDial);
    EXPECT_THAT(dial.out, StartsWith("10.1.0.1 ")) << dial.ToString();
  }
}

TEST_F(RunNetnsTest, EnteredItIsTheOneThatIsMirrored) {
  EXPECT_THAT(RunElsewhere({"--netns", "blue", "--mark", "100", "--apply", "bind"}, kDial).out,
              StartsWith("10.1.0.1 "));
  EXPECT_THAT(RunElsewhere({"--netns", "blue", "--source", "dev eth1"}, kDial).out,
              StartsWith("10.1.0.1 "));
  EXPECT_THAT(RunElsewhere({"--netns", "blue", "--source", kUnicomOtherSource4}, kDial).out,
              StartsWith("10.1.0.2 "));
}

// `ip netns exec` mounts /sys anew, and cgroup v2 is out of sight.
TEST_F(RunNetnsTest, ARunStartedByIpNetnsExec) {
  const Words exec{"ip", "netns", "exec", "blue"};
  Words look = exec, run = exec;
  look.insert(look.end(), {"cat", "/proc/self/mounts"});
  EXPECT_THAT(RunPlain(look).out, AllOf(HasSubstr(" /sys "), Not(HasSubstr(" cgroup2 "))));

  const Command srcsel = Srcsel(kBind, {DIAL, "-u", "-w", "-n", "2", kServer4, "53"});
  run.insert(run.end(), srcsel.argv.begin(), srcsel.argv.end());
  Process dial = lab_.host("telecom").Spawn(Plain(run)).value();
  EXPECT_THAT(dial.WaitForLine("").value(), StartsWith("10.1.0.1 "));
  EXPECT_EQ(CountersOf(RunCgroupPath()).value()[SRCSEL_WHY_TABLE], 1);
  ASSERT_TRUE(dial.Write("again\n").ok());
  EXPECT_TRUE(dial.Wait().ok());
}

// The run is typed at home; the command goes to the client.
class RunForeignTest : public RunNetnsTest {
 protected:
  void SetUp() override {
    RunNetnsTest::SetUp();
    ASSERT_TRUE(home_
                    .IpBatch("-4", {"link set lo up", "link add eth0 type veth peer name eth1",
                                    "address add 10.1.0.1/32 dev lo",
                                    "address add 10.1.0.2/32 dev eth1", "link set eth0 up",
                                    "link set eth1 up", "route add default dev eth0 src 10.1.0.1",
                                    "rule add fwmark 100 table 100",
                                    "route add default dev eth1 src 10.1.0.2 table 100"})
                    .ok());
  }

  Result RunAway(const Words &options, const Words &command) const {
    return home_.Run(Away(options, command)).value();
  }

  Command Away(const Words &options, const Words &command) const {
    Words words{"ip", "netns", "exec", "blue"};
    words.insert(words.end(), command.begin(), command.end());
    return Srcsel(options, words);
  }

  void ExpectNothingDecided(const Words &options) {
    Process dial =
        home_.Spawn(Away(options, {DIAL, "-u", "-k", "-w", "-n", "2", kServer4, "53"})).value();
    EXPECT_THAT(dial.WaitForLine("").value(), testing::MatchesRegex("10.0.0.1 [0-9]+ mark 0"));
    EXPECT_EQ(CountersOf(RunCgroupPath()).value()[SRCSEL_WHY_FOREIGN], 1);
    ASSERT_TRUE(dial.Write("again\n").ok());
    EXPECT_TRUE(dial.Wait().ok());
  }

  Host home_ = Host::Create("home").value();
};

class RunForeignFlowsTest : public RunForeignTest {
 protected:
  // The source that a server sees of a flow that is opened in this way.
  std::string Seen(const Words &options, const char *way) const {
    const Result away = RunAway(options, {"/usr/bin/python3", PROGRAMS "/ways.py", way, kServer4});
    EXPECT_TRUE(away.ok()) << away.ToString();
    return SourceIn(away.out);
  }
  void SetUp() override {
    RunForeignTest::SetUp();
    ASSERT_TRUE(RouteBySource(lab_).ok());
    ASSERT_EQ(server_.WaitForLine("").value(), "listening");
  }

  Process server_ = lab_.host("server").Spawn({.argv = {"python3", PROGRAMS "/whoami.py"}}).value();
};

TEST_F(RunForeignFlowsTest, OnlyConstantsHoldForTcpAndForDatagramsThatAreSent) {
  for (const char *way : {"tcp", "udp", "sendto"}) {
    EXPECT_EQ(Seen(kMark, way), kUnicomSource4) << way;
    EXPECT_EQ(Seen({"--source", kUnicomSource4}, way), kUnicomSource4) << way;
    EXPECT_EQ(Seen(kBind, way), kTelecomSource4) << way;
    EXPECT_EQ(Seen({"--source", "dev eth1"}, way), kTelecomSource4) << way;
  }
}

TEST_F(RunForeignTest, AConstantMarkHolds) {
  EXPECT_THAT(RunAway(kMark, kDial).out, testing::MatchesRegex("10.1.0.1 [0-9]+ mark 100\n"));
}

TEST_F(RunForeignTest, AConstantSourceHolds) {
  EXPECT_THAT(RunAway({"--source", kUnicomSource4}, kDial).out, StartsWith("10.1.0.1 "));
}

TEST_F(RunForeignTest, WhatNeedsNoTableToBeExemptIsExempt) {
  for (const char *address : {"127.0.0.1", "::1", "224.0.0.251", "ff02::fb%eth0", "169.254.1.1",
                              "fe80::77%eth1", "255.255.255.255"}) {
    const Result dial =
        RunAway({"--mark", "100", "--source", kUnicomSource4}, {DIAL, "-u", "-k", address, "53"});
    EXPECT_THAT(dial.out, testing::EndsWith(" mark 0\n")) << dial.ToString();
  }
}

TEST_F(RunForeignTest, TablesOfTheRunsNamespaceDecideNothing) {
  ExpectNothingDecided(kBind);
}

TEST_F(RunForeignTest, AnInterfaceOfTheRunsNamespaceLendsNothing) {
  ExpectNothingDecided({"--source", "dev eth1"});
}

// At home the very same policies do decide.
TEST_F(RunForeignTest, AtHomeTheyDecide) {
  for (const Words &options : {kBind, Words{"--source", "dev eth1"}})
    EXPECT_THAT(home_.Run(Srcsel(options, kDial))->out, StartsWith("10.1.0.2 "));
}

}  // namespace
}  // namespace srcsel::lab
