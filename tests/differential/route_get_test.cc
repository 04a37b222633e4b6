// `srcsel route get` against `ip route get`: the same bytes on stdout, the same error and exit
// status, the same JSON; without asking the kernel for a route.

#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/draw_flows.hh"
#include "draw.hh"
#include "lab/route_requests.hh"
#include "lab/temp_dir.hh"
#include "netlink/read_state.hh"
#include "rich_host.hh"
#include "srcsel/print_route.hh"

namespace srcsel {
namespace {

using ::testing::HasSubstr;
using Words = std::vector<std::string>;

constexpr int kQuestions = 20;

Words Split(const std::string &text) {
  return absl::StrSplit(text, ' ', absl::SkipEmpty());
}

Words Joined(Words first, const Words &second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

class RouteGetTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "making network namespaces needs root";
    absl::StatusOr<lab::Host> host = MakeRichHost();
    ASSERT_TRUE(host.ok()) << host.status();
    host_.emplace(*std::move(host));
  }

  lab::Result Run(Words argv) const {
    lab::Command command;
    command.argv = std::move(argv);
    return host_->Run(command).value();
  }
  lab::Result Srcsel(const std::string &words) const {
    return Run(Joined({SRCSEL, "route", "get"}, Split(words)));
  }

  // Without what `ip` does not know.
  static nlohmann::json Known(const std::string &text) {
    nlohmann::json json = nlohmann::json::parse(text);
    for (const char *key : {"exact", "why", "complete", "candidates"}) json.at(0).erase(key);
    return json;
  }

  // The exit status, both times.
  int Compare(const std::string &words) const {
    const lab::Result ip = Run(Joined({"ip", "route", "get"}, Split(words)));
    const lab::Result ours = Srcsel(words);
    EXPECT_EQ(ours.out, ip.out);
    EXPECT_EQ(ours.err, ip.err);
    EXPECT_EQ(ours.status, ip.status);
    const lab::Result ip_json = Run(Joined({"ip", "-j", "route", "get"}, Split(words)));
    const lab::Result json = Run(Joined({SRCSEL, "route", "get", "--json"}, Split(words)));
    EXPECT_EQ(json.status, ip_json.status);
    EXPECT_EQ(json.err, ip_json.err);
    if (ip.ok()) {
      EXPECT_EQ(Known(json.out), nlohmann::json::parse(ip_json.out));
    }
    return ip.status;
  }

  std::optional<lab::Host> host_;
};

TEST_F(RouteGetTest, AnswersAsIpDoes) {
  for (const char *words : {
           "0.0.0.0",
           "255.255.255.255",
           "255.255.255.255 oif v1",
           "224.0.0.1",
           "224.0.0.1 dev v1",
           "239.1.1.1 dev v0",
           "10.0.0.255",
           "127.0.0.1",
           "10.0.0.1 from 127.0.0.1",
           "8.8.8.8 from 127.0.0.1",
           "8.8.8.8 from 9.9.9.9",
           "8.8.8.8 oif v1",
           "8.8.8.8 oif lo",
           "8.8.8.8 mark 15",
           "8.8.8.8 mark 16",
           "8.8.8.8 mark 0x64 uid 1000",
           "8.8.8.8/32",
           "8.8.8.8 tos 10",
           "40.1.1.1 tos 0x50",
           "40.1.1.1 tos CS2",
           "to 8.8.8.8",
           "8.8.8.8 ipproto icmp",
           "8.8.8.8 mark 1 mark 100",
           "20.0.0.1",
           "28.1.2.3",
           "31.1.1.1",
           "51.0.0.1",
           "52.0.0.1",
           "234.1.1.1",
           "::",
           "::1",
           "fd00::",
           "fd00::77",
           "ff02::1",
           "ff02::1 oif v1",
           "2001:db8:2::1",
           "2001:db8:6::1",
           "2001:db8:8::1",
           "2001:db8:a::1",
           "2001:db8:b::1 from fd00::1",
           "2000::1 from 2222::1",
           "2000::1 from fd00::1 oif v1",
           "2000::1 oif v1",
           "::ffff:8.8.8.8",
           "2000::1 ipproto ipv6-icmp",
           "fe80::1 dev v0",
       }) {
    SCOPED_TRACE(words);
    Compare(words);
  }
}

TEST_F(RouteGetTest, AnswersRandomQuestionsAsIpDoes) {
  const absl::StatusOr<State> state =
      lab::Within(host_->netns().fd(), []() -> absl::StatusOr<State> {
        SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
        return reader.Read();
      });
  ASSERT_TRUE(state.ok()) << state.status();
  const std::uint64_t seed = Seed();
  FlowDrawer drawer(*state, seed);
  const RoutePrinter printer(state->links);
  std::map<int, int> statuses;
  for (int i = 0; i < kQuestions && !HasFailure(); ++i) {
    const std::string words = printer.Words(drawer.Next());
    SCOPED_TRACE("ip route get " + words);
    ++statuses[Compare(words)];
  }
  for (const auto &[status, count] : statuses)
    std::cout << "exit status " << status << ": " << count << std::endl;
  EXPECT_GT(statuses[0], kQuestions / 3);
  EXPECT_GT(statuses[2], kQuestions / 20);
}

TEST_F(RouteGetTest, NamesTablesAndProtocolsAsIpDoes) {
  const lab::TempDir dir = lab::TempDir::Make().value();
  ASSERT_TRUE(dir.Write("rt_tables", "# own\n100\tvtab # by mark\n0x3e8 big\n").ok());
  ASSERT_TRUE(dir.Write("rt_protos", "200 mine\n").ok());
  ASSERT_TRUE(dir.Write("rt_dsfield", "0x10 lowdelay\n").ok());
  const Words there = {
      "unshare", "-m", "sh", "-c", R"(mount --bind "$0" /etc/iproute2 && exec "$@")", dir.path()};
  for (const char *words : {"8.8.8.8 mark 100", "8.8.8.8 mark 0x200", "2001:db8:8::1",
                            "40.1.1.1 tos lowdelay", "127.0.0.1", "2001:db8:6::1"}) {
    SCOPED_TRACE(words);
    const lab::Result ip = Run(Joined(Joined(there, {"ip", "route", "get"}), Split(words)));
    const lab::Result ours = Run(Joined(Joined(there, {SRCSEL, "route", "get"}), Split(words)));
    EXPECT_TRUE(ip.ok()) << ip.ToString();
    EXPECT_EQ(ours.out, ip.out);
  }
  const lab::Result named = Run(Joined(there, {SRCSEL, "route", "get", "8.8.8.8", "mark", "100"}));
  EXPECT_THAT(named.out, HasSubstr("table vtab"));
}

TEST_F(RouteGetTest, AnAmbiguousAnswerNamesAllCandidates) {
  ASSERT_TRUE(host_->SetSysctl("net.ipv4.fib_multipath_hash_seed", "0").ok());
  const lab::Result ip = Run({"ip", "route", "get", "28.1.1.1"});
  const lab::Result ours = Srcsel("28.1.1.1");
  EXPECT_TRUE(ours.ok()) << ours.ToString();
  EXPECT_THAT(ours.out, HasSubstr(ip.out));
  EXPECT_THAT(ours.out, HasSubstr("28.1.1.1 via 10.0.0.254 dev v0 src 10.0.0.1 uid 0 \n"));
  EXPECT_THAT(ours.out, HasSubstr("28.1.1.1 via 10.1.0.254 dev v1 src 10.1.0.1 uid 0 \n"));
  EXPECT_THAT(ours.err, testing::StartsWith("srcsel: ambiguous: "));
  EXPECT_EQ(ours.err.find('\n'), ours.err.size() - 1);
  const auto json = nlohmann::json::parse(Srcsel("28.1.1.1 --json").out).at(0);
  EXPECT_EQ(json.at("exact"), false);
  EXPECT_EQ(json.at("why"), "hash");
  EXPECT_EQ(json.at("complete"), true);
  EXPECT_EQ(json.at("candidates").size(), 2u);
  EXPECT_EQ(json.at("dst"), "28.1.1.1");
}

TEST_F(RouteGetTest, LooksWhereToldTo) {
  lab::Command outside;
  outside.argv = {SRCSEL, "route", "get", "--netns", host_->netns().Path(), "22.1.1.1"};
  const lab::Result ours = lab::RunCommand(outside).value();
  EXPECT_EQ(ours.out, Run({"ip", "route", "get", "22.1.1.1"}).out) << ours.ToString();
  outside.argv[4] = "/proc/self/exe";
  const lab::Result none = lab::RunCommand(outside).value();
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.err, HasSubstr("/proc/self/exe is not a network namespace"));
}

class CountTest : public RouteGetTest {
 protected:
  lab::RouteRequests Count(const Words &argv) const {
    const lab::TempDir dir = lab::TempDir::Make().value();
    const std::string trace = dir.path() + "/trace";
    lab::Command strace;
    strace.argv = lab::TraceRequests(trace, argv);
    strace.env = {"ASAN_OPTIONS=detect_leaks=0"};  // it cannot be traced itself
    const lab::Result run = host_->Run(strace).value();
    EXPECT_TRUE(run.ok()) << run.ToString();
    return lab::RequestsIn(trace);
  }
};

TEST_F(CountTest, DoesNotAskTheKernelForTheRoute) {
  std::optional<int> reads;
  for (const char *words : {"8.8.8.8", "2001:db8:1::1 mark 100", "23.0.0.1"}) {
    const lab::RouteRequests requests =
        Count({"sh", "-c", absl::StrCat(SRCSEL, " route get ", words, " || [ $? = 2 ]")});
    EXPECT_EQ(requests.lists, 2) << words;
    EXPECT_EQ(requests.lookups, 0) << words;
    // The host has as many such routes, whatever is asked about.
    EXPECT_EQ(requests.reads, reads.value_or(requests.reads)) << words;
    reads = requests.reads;
  }
  const lab::RouteRequests ip = Count({"ip", "route", "get", "8.8.8.8"});
  EXPECT_EQ(ip.lookups, 1);
}

struct Mistake {
  const char *words;
  std::vector<std::string> named;
};

TEST_F(RouteGetTest, MistakesAreNamed) {
  const Mistake kMistakes[] = {
      {"", {"no destination", "ADDR"}},
      {"8.8.8.8 foo", {"'foo'", "neither an address", "to, from, oif", "flowlabel"}},
      {"8.8.8", {"'8.8.8'", "neither an address"}},
      {"localhost", {"'localhost'", "neither an address"}},
      {"8.8.8.0/24", {"8.8.8.0/24", "address"}},
      {"8.8.8.8 8.8.4.4", {"two destinations", "8.8.8.8", "8.8.4.4"}},
      {"8.8.8.8 from", {"from", "missing"}},
      {"8.8.8.8 from fd00::1", {"from fd00::1", "another family than 8.8.8.8"}},
      {"8.8.8.8 from nowhere", {"from nowhere", "address"}},
      {"8.8.8.8 oif nope", {"oif nope", "no such interface"}},
      {"8.8.8.8 mark x", {"mark x", "0 to 4294967295"}},
      {"8.8.8.8 mark 0x100000000", {"mark 0x100000000", "0 to 4294967295"}},
      {"8.8.8.8 uid 4294967295", {"uid 4294967295", "0 to 4294967294"}},
      {"8.8.8.8 sport 65536", {"sport 65536", "0 to 65535"}},
      {"8.8.8.8 dport http", {"dport http", "0 to 65535"}},
      {"8.8.8.8 tos 100", {"tos 100", "0 to ff"}},
      {"8.8.8.8 tos quick", {"tos quick", "AF11"}},
      {"8.8.8.8 ipproto nope", {"ipproto nope", "tcp, udp"}},
      {"8.8.8.8 ipproto sctp", {"ipproto 132", "tcp, udp or icmp"}},
      {"2000::1 ipproto icmp", {"ipproto 1", "tcp, udp or ipv6-icmp"}},
      {"8.8.8.8 flowlabel 1", {"flowlabel 1", "IPv6"}},
      {"2000::1 flowlabel 0x100000", {"flowlabel 0x100000", "0 to 1048575"}},
      {"8.8.8.8 iif v0", {"iif v0", "forwarded", "not mirror"}},
      {"8.8.8.8 --bogus", {"--bogus", "--help"}},
  };
  for (const Mistake &mistake : kMistakes) {
    SCOPED_TRACE(mistake.words);
    const lab::Result result = Srcsel(mistake.words);
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, testing::StartsWith("srcsel: "));
    EXPECT_EQ(result.err.find('\n'), result.err.size() - 1) << result.err;
    for (const std::string &part : mistake.named) EXPECT_THAT(result.err, HasSubstr(part));
  }
  EXPECT_EQ(Srcsel("8.8.8.8 iif lo").out, Srcsel("8.8.8.8").out);
  const lab::Result bare = Run({SRCSEL, "route"});
  EXPECT_EQ(bare.status, 2);
  EXPECT_THAT(bare.err, HasSubstr("there is: get"));
}

}  // namespace
}  // namespace srcsel
