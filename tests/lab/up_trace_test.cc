// srcsel trace and srcsel stats.

#include <algorithm>
#include <csignal>

#include "absl/strings/str_split.h"
#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class UpTraceTest : public UpTest {
 protected:
  // A trace that has begun.
  Process Trace(Words options) const {
    Words words{SRCSEL, "trace"};
    words.insert(words.end(), options.begin(), options.end());
    Process trace = client_.Spawn(CommandOf(std::move(words), keeper_.path())).value();
    EXPECT_TRUE(trace.WaitForLine("srcsel: tracing").ok());
    return trace;
  }
  void Connect(const char *server) const { ASSERT_TRUE(Run({DIAL, "-u", server, "53"}).ok()); }

  static constexpr char kTwoRules[] =
      "[[rule]]\nto = '192.0.2.81'\nmark = 100\n[[rule]]\nto = '192.0.2.80'\nsource = "
      "'10.1.0.2'\n";
};

TEST_F(UpTraceTest, PrintsALineADecision) {
  EXPECT_EQ(Srcsel({"trace"}).err, "srcsel: nothing is up: srcsel up brings it up\n");
  MustUp(kTwoRules);
  Process trace = Trace({"--count", "2", "--summary"});
  Connect(kServer4);
  Connect(kOtherServer4);
  const Result result = trace.Wait();
  EXPECT_EQ(result.status, 0) << result.ToString();
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n');
  ASSERT_THAT(lines, testing::SizeIs(3));
  EXPECT_THAT(lines[0],
              MatchesRegex("[0-9:.]+ dial [0-9]+ udp 192.0.2.80:53 source mark 0x64 source "
                           "10.1.0.2 by /[^ ]*/p.toml:4"));
  EXPECT_THAT(lines[1], MatchesRegex("[0-9:.]+ dial [0-9]+ udp 192.0.2.81:53 mark mark 0x64 by "
                                     "/[^ ]*/p.toml:1"));
  EXPECT_THAT(result.err, AllOf(HasSubstr("1 mark "), HasSubstr("1 source ")));
}

TEST_F(UpTraceTest, PrintsJsonOfWhatIsAskedFor) {
  MustUp(kTwoRules);
  Process trace =
      Trace({"--json", "--all", "--to", "::ffff:192.0.2.80", "--comm", "dial", "-n", "1"});
  Connect(kOtherServer4);
  ASSERT_TRUE(Run({DIAL, "-u", "-b", kTelecomSource4, kServer4, "53"}).ok());
  const Json event = Json::parse(trace.Wait().out);
  EXPECT_EQ(event.at("comm"), "dial");
  EXPECT_EQ(event.at("operation"), "connect");
  EXPECT_EQ(event.at("protocol"), "udp");
  EXPECT_EQ(event.at("destination"), "192.0.2.80");
  EXPECT_EQ(event.at("dport"), 53);
  EXPECT_EQ(event.at("reason"), "app-source");
  EXPECT_THAT(event.at("rule").get<std::string>(), EndsWith("/p.toml:4"));
  EXPECT_EQ(event.at("error"), 0);
  EXPECT_FALSE(event.contains("source"));
}

TEST_F(UpTraceTest, PrintsOneProcessAlone) {
  MustUp(kTwoRules);
  Process dial = Spawn({DIAL, "-u", "-w", "-n", "2", kServer4, "53"});
  ASSERT_TRUE(dial.WaitForLine(kUnicomOtherSource4).ok());
  Process trace = Trace({"--json", "--pid", absl::StrCat(dial.pid()), "--count", "1"});
  Connect(kServer4);
  ASSERT_TRUE(dial.Write("\n").ok());
  EXPECT_EQ(Json::parse(trace.Wait().out).at("pid"), dial.pid());
}

// Also what is made below it while the trace runs; another one of a name that begins so is another.
TEST_F(UpTraceTest, PrintsOneCgroupAndWhatIsBelow) {
  MustUp(kTwoRules);
  const std::string wanted = cgroup_.path() + "/a", below = wanted + "/b",
                    other = cgroup_.path() + "/ab";
  for (const std::string &made : {wanted, other}) ASSERT_EQ(mkdir(made.c_str(), 0755), 0);
  const auto connect_in = [&](const std::string &cgroup, const char *server) {
    ASSERT_TRUE(client_.Run(CommandOf({DIAL, "-u", server, "53"}, cgroup)).value().ok());
  };
  Process trace = Trace({"--cgroup", wanted, "--count", "3"});
  ASSERT_EQ(mkdir(below.c_str(), 0755), 0);
  connect_in(wanted, kServer4);
  connect_in(other, kServer4);
  connect_in(below, kOtherServer4);
  connect_in(cgroup_.path(), kServer4);
  connect_in(wanted, kServer4);
  EXPECT_THAT(trace.Wait().out,
              MatchesRegex("[^\n]*192.0.2.80:53 [^\n]*\n[^\n]*192.0.2.81:53 [^\n]*\n"
                           "[^\n]*192.0.2.80:53 [^\n]*\n"));
}

// What had room is printed, and the rest is counted: together they are all decisions.
TEST_F(UpTraceTest, WhatWasMissedIsCounted) {
  MustUp(kTwoRules);
  Process trace = Trace({"--all"});
  ASSERT_TRUE(trace.Signal(SIGSTOP).ok());
  constexpr int kMoreThanTheRingHolds = 6000;
  ASSERT_TRUE(Run({DIAL, "-u", "-n", absl::StrCat(kMoreThanTheRingHolds), kServer4, "53"}).ok());
  ASSERT_TRUE(trace.Signal(SIGCONT).ok());
  ASSERT_TRUE(trace.Signal(SIGINT).ok());
  const Result result = trace.Wait();
  EXPECT_EQ(result.status, 0) << result.ToString();
  const auto printed = std::ranges::count(result.out, '\n');
  EXPECT_GT(printed, 1000);
  const Json stats = Json::parse(Srcsel({"stats", "--json"}).out);
  std::int64_t decided = 0;
  for (const auto &[reason, count] : stats.at("reasons").items())
    decided += count.get<std::int64_t>();
  EXPECT_GE(decided, kMoreThanTheRingHolds);
  EXPECT_EQ(stats.at("dropped"), decided - printed);
  EXPECT_THAT(result.err, EndsWith(absl::StrCat("srcsel: missed ", decided - printed,
                                                " decisions: they came faster than they were "
                                                "written\n")));
}

// Killed, it has listened all the same; and what is up goes on telling nobody.
TEST_F(UpTraceTest, AnotherMayReadWhenOneIsKilled) {
  MustUp(kTwoRules);
  Process first = Trace({});
  EXPECT_EQ(Srcsel({"trace"}).err, "srcsel: another srcsel trace is reading\n");
  ASSERT_TRUE(first.Signal(SIGKILL).ok());
  first.Wait();
  Process trace = Trace({"--reason", "mark", "--count", "1"});
  Connect(kServer4);
  Connect(kOtherServer4);
  EXPECT_THAT(trace.Wait().out, HasSubstr(" 192.0.2.81:53 mark "));
}

// Whoever is to read has been stopped: nothing waits for it, and what had no room is counted.
TEST_F(UpTraceTest, AFullRingDropsAndNeverBlocks) {
  constexpr int kConnections = 20'000;
  MustUp(kTwoRules);
  Process trace = Trace({});
  ASSERT_TRUE(trace.Signal(SIGSTOP).ok());
  const Result dial = Run({DIAL, "-u", "-n", absl::StrCat(kConnections), kServer4, "53"});
  ASSERT_TRUE(dial.ok()) << dial.ToString();
  const std::vector<std::string> lines = absl::StrSplit(dial.out, '\n', absl::SkipEmpty());
  EXPECT_THAT(lines, testing::SizeIs(kConnections));
  EXPECT_THAT(lines, testing::Each(testing::StartsWith("10.1.0.2 ")));
  const Json status = Status();
  EXPECT_EQ(status.at("reasons"), Json::parse(absl::StrCat("{\"source\":", kConnections, "}")));
  const auto dropped = status.at("dropped").get<int>();
  EXPECT_GT(dropped, 0);
  EXPECT_LT(dropped, kConnections);
  EXPECT_THAT(Srcsel({"stats", "--prometheus"}).out,
              HasSubstr(absl::StrCat("srcsel_events_dropped_total ", dropped, "\n")));
  // The others are there to be read, and then there is room again.
  ASSERT_TRUE(trace.Signal(SIGCONT).ok());
  for (int i = dropped; i < kConnections; ++i) ASSERT_TRUE(trace.WaitForLine("dial").ok()) << i;
  Connect(kOtherServer4);
  EXPECT_TRUE(trace.WaitForLine("192.0.2.81:53").ok());
  EXPECT_EQ(Status().at("dropped"), dropped);
}

// A rule is called as the policy in force calls it.
TEST_F(UpTraceTest, GoesOnOverAReloadAndEndsWithWhatIsUp) {
  MustUp(kTwoRules);
  Process trace = Trace({});
  Connect(kServer4);
  EXPECT_THAT(trace.WaitForLine("dial").value(), EndsWith("/p.toml:4"));
  PolicyFile("# nothing\n\n[[rule]]\nsource = '10.1.0.2'\n");
  ASSERT_TRUE(Srcsel({"reload", "-q"}).ok());
  Connect(kServer4);
  EXPECT_THAT(trace.WaitForLine("dial").value(), EndsWith("/p.toml:3"));
  ASSERT_TRUE(Srcsel({"down", "-q"}).ok());
  const Result result = trace.Wait();
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, EndsWith("srcsel: no more decisions: it has been taken down\n"));
}

TEST_F(UpTraceTest, BadWordsAreNamed) {
  const Result reason = Srcsel({"trace", "--reason", "blue"});
  EXPECT_EQ(reason.status, 2);
  EXPECT_THAT(reason.err, AllOf(HasSubstr("'blue' is not a reason"), HasSubstr("app-source")));
  EXPECT_EQ(Srcsel({"trace", "--to", "blue"}).status, 2);
  const Result cgroup = Srcsel({"trace", "--cgroup", "/no/such"});
  EXPECT_EQ(cgroup.status, 1);
  EXPECT_THAT(cgroup.err,
              HasSubstr("open cgroup /no/such: No such file or directory; cgroup v2 is "));
}

TEST_F(UpTraceTest, StatsCountByReasonAndRule) {
  EXPECT_EQ(Srcsel({"stats"}).status, 1);
  EXPECT_THAT(Srcsel({"stats", "--prometheus"}).out, EndsWith("srcsel_up 0\n"));
  MustUp(kTwoRules);
  Connect(kServer4);
  Connect(kServer4);
  Connect(kOtherServer4);
  const Json json = Json::parse(Srcsel({"stats", "--json"}).out);
  EXPECT_EQ(json.at("reasons"), Json::parse(R"({"mark":1,"source":2})"));
  EXPECT_EQ(json.at("rules").at(0).at("applied"), 1);
  EXPECT_EQ(json.at("rules").at(1).at("applied"), 2);
  const std::string metrics = Srcsel({"stats", "--prometheus"}).out;
  for (const std::string &line :
       {std::string("srcsel_up 1\n"), std::string("srcsel_following 1\n"),
        std::string("srcsel_decisions_total{reason=\"source\"} 2\n"),
        std::string("srcsel_decisions_total{reason=\"no-rule\"} 0\n"),
        "srcsel_rule_matched_total{rule=\"" + folder_.path() + "/p.toml:4\"} 2\n"})
    EXPECT_THAT(metrics, HasSubstr(line));
  ASSERT_TRUE(Srcsel({"reload", "-q"}).ok());
  EXPECT_EQ(Json::parse(Srcsel({"stats", "--json"}).out).at("rules").at(1).at("matched"), 0);
}

}  // namespace
}  // namespace srcsel::lab
