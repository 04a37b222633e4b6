// Sets that change: what was announced of them makes the same rules as reading all of it again, by
// nft's own list.

#include <netinet/in.h>
#include <poll.h>

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "dice.hh"
#include "netfilter/evaluate.hh"
#include "netfilter/follow_rules.hh"
#include "netfilter/list_nft.hh"
#include "netfilter/nft_rules.hh"
#include "netfilter/read_rules.hh"
#include "network.hh"

namespace srcsel {
namespace {

constexpr int kSteps = 60;
constexpr int kFollowedFlows = 100;

// A set of each kind, and one of a kind that only nft's list is understood of.
constexpr char kTable[] = R"(table inet t {
 set plain { type ipv4_addr; }
 set ranges { type ipv4_addr; flags interval; }
 set wide { type ipv6_addr; flags interval; }
 set ports { type inet_service; flags interval; }
 set parts { type ipv4_addr . inet_proto . inet_service; flags interval; }
 set pairs { type ipv4_addr . inet_service; }
 set marks { type mark; }
 set users { typeof meta skuid; }
 map to_mark { type ipv4_addr : mark; }
 map to_verdict { type inet_service : verdict; flags interval; }
 chain aside { meta mark set meta mark or 0x100; }
 chain output { type route hook output priority mangle;
  meta mark @marks meta mark set meta mark or 0x80
  meta mark set ip daddr map @to_mark
  ip daddr @plain meta mark set meta mark or 0x1
  ip daddr @ranges meta mark set meta mark or 0x2
  ip6 daddr @wide meta mark set meta mark or 0x4
  tcp dport @ports meta mark set meta mark or 0x8
  ip daddr . meta l4proto . th dport @parts meta mark set meta mark or 0x10
  ip daddr . tcp dport @pairs meta mark set meta mark or 0x20
  meta skuid @users meta mark set meta mark or 0x40
  tcp dport vmap @to_verdict
  meta mark set meta mark or 0x200
 }
}
)";

class Drawer {
 public:
  explicit Drawer(Dice &dice) : dice_(dice) {}

  // One command, about one element.
  std::string Command() {
    const std::string set =
        dice_.Word({"plain", "plain", "ranges", "ranges", "wide", "ports", "parts", "pairs",
                    "marks", "users", "to_mark", "to_verdict"});
    if (dice_.OneIn(40)) return absl::StrCat("flush set inet t ", set, "\n");
    const bool adds = !dice_.OneIn(3);
    return absl::StrCat(adds ? "add" : "delete", " element inet t ", set, " { ", Key(set),
                        adds ? Data(set) : "", " }\n");
  }

  NfFlow Flow() {
    NfFlow flow;
    const bool v4 = !dice_.OneIn(4);
    flow.destination =
        *IpAddress::Parse(v4 ? Address() : absl::StrCat("2001:db8::", dice_.Below(20)));
    flow.proto = dice_.Of<std::uint8_t>({IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP});
    flow.dport = static_cast<std::uint16_t>(dice_.Below(20) + 1);
    flow.uid = static_cast<std::uint32_t>(dice_.Below(4));
    flow.mark = static_cast<std::uint32_t>(dice_.Below(4));
    return flow;
  }

 private:
  std::string Address() { return absl::StrCat("198.51.0.", dice_.Below(20)); }
  std::string Port() { return absl::StrCat(dice_.Below(20) + 1); }
  std::string Range(const std::string &base, std::size_t first) {
    const std::size_t from = first + dice_.Below(20), to = from + dice_.Below(5);
    return from == to ? absl::StrCat(base, from) : absl::StrCat(base, from, "-", base, to);
  }

  std::string Key(const std::string &set) {
    if (set == "plain" || set == "to_mark") return Address();
    if (set == "ranges")
      return dice_.OneIn(3) ? absl::StrCat("198.51.0.", dice_.Below(8) * 4, "/30")
                            : Range("198.51.0.", 0);
    if (set == "wide") return Range("2001:db8::", 0);
    if (set == "ports" || set == "to_verdict") return Range("", 1);
    if (set == "parts")
      return absl::StrCat(Range("198.51.0.", 0), " . ", dice_.Word({"tcp", "udp"}), " . ",
                          Range("", 1));
    if (set == "pairs") return absl::StrCat(Address(), " . ", Port());
    return absl::StrCat(dice_.Below(4));
  }

  std::string Data(const std::string &set) {
    if (set == "to_mark") return absl::StrCat(" : ", dice_.Below(4) << 12);
    if (set == "to_verdict") return dice_.Word({" : accept", " : drop", " : jump aside"});
    return "";
  }

  Dice &dice_;
};

// By another way than what is tested.
NfRuleSet ByList() {
  NfRuleSet rules;
  EXPECT_EQ(AddNftRules(ListNft("list ruleset", true).value(), {}, rules), absl::OkStatus());
  return rules;
}

void ExpectSame(const NfRuleSet &followed, Drawer &drawer) {
  EXPECT_TRUE(followed.unread_sets.empty());
  const NfRuleSet listed = ByList();
  for (int i = 0; i < kFollowedFlows; ++i) {
    const NfFlow flow = drawer.Flow();
    const NfOutcome a = Evaluate(followed, flow), b = Evaluate(listed, flow);
    ASSERT_EQ(a.unknown, "");
    ASSERT_EQ(b.unknown, "");
    ASSERT_EQ(a.dropped, b.dropped) << flow.destination.ToString() << " port " << flow.dport;
    ASSERT_EQ(a.mark, b.mark) << flow.destination.ToString() << " port " << flow.dport;
  }
}

void InANetwork(void (*test)()) {
  if (geteuid() != 0) GTEST_SKIP() << "making a network namespace needs root";
  std::thread([test] {
    Network network;
    ASSERT_EQ(network.Open(), absl::OkStatus());
    test();
  }).join();
}

TEST(FollowSets, ElementsAreTakenInAsTheyAreAnnounced) {
  InANetwork([] {
    Dice dice(1);
    Drawer drawer(dice);
    ASSERT_EQ(Feed("nft -f -", kTable), absl::OkStatus());
    RuleFollower follower = RuleFollower::Open().value();
    RuleReader reader;
    ExpectSame(reader.Read(), drawer);
    int heard = 0;
    for (int i = 0; i < kSteps && !testing::Test::HasFailure(); ++i) {
      std::string commands;
      for (std::size_t left = 1 + dice.Below(4); left > 0; --left) commands += drawer.Command();
      SCOPED_TRACE(commands);
      // What contradicts what is there already is refused whole.
      const bool taken = Feed("nft -f - 2>/dev/null", commands).ok();
      const NfChange change = follower.Drain(reader.elements()).value();
      EXPECT_FALSE(follower.amid_commit());
      EXPECT_NE(change, NfChange::kRules);
      if (!taken) {
        EXPECT_EQ(change, NfChange::kNothing);
      }
      heard += change == NfChange::kElements;
      ExpectSame(reader.Renew(), drawer);
    }
    EXPECT_GT(heard, kSteps / 4);
  });
}

TEST(FollowSets, AnotherSetOfTheNameIsReadAnew) {
  InANetwork([] {
    Dice dice(2);
    Drawer drawer(dice);
    ASSERT_EQ(Feed("nft -f -", kTable), absl::OkStatus());
    ASSERT_EQ(Feed("nft -f -", "add element inet t plain { 198.51.0.1 }\n"), absl::OkStatus());
    RuleFollower follower = RuleFollower::Open().value();
    RuleReader reader;
    reader.Read();
    ASSERT_EQ(Feed("nft -f -", absl::StrCat("delete table inet t\n", kTable,
                                            "add element inet t plain { 198.51.0.2 }\n")),
              absl::OkStatus());
    EXPECT_EQ(follower.Drain(reader.elements()).value(), NfChange::kRules);
    ExpectSame(reader.Read(), drawer);
  });
}

TEST(FollowSets, SetsThatNobodyLooksIntoAreNotHeardOf) {
  InANetwork([] {
    ASSERT_EQ(Feed("nft -f -", kTable), absl::OkStatus());
    ASSERT_EQ(Feed("nft -f -", "add set inet t other { type ipv4_addr; }\n"), absl::OkStatus());
    RuleFollower follower = RuleFollower::Open().value();
    RuleReader reader;
    reader.Read();
    ASSERT_EQ(Feed("nft -f -", "add element inet t other { 198.51.0.1 }\n"), absl::OkStatus());
    EXPECT_EQ(follower.Drain(reader.elements()).value(), NfChange::kNothing);
  });
}

// The kernel says nothing when an element's time is over.
TEST(FollowSets, WhatExpiresIsGoneInTime) {
  InANetwork([] {
    ASSERT_EQ(Feed("nft -f -",
                   "table ip t {\n set s { type ipv4_addr; flags timeout; }\n"
                   " chain o { type route hook output priority mangle;\n"
                   "  ip daddr @s meta mark set 1\n }\n}\n"),
              absl::OkStatus());
    RuleFollower follower = RuleFollower::Open().value();
    RuleReader reader;
    reader.Read();
    EXPECT_FALSE(reader.elements()->NextExpiry());
    ASSERT_EQ(Feed("nft -f -", "add element ip t s { 198.51.0.1 timeout 300ms }\n"),
              absl::OkStatus());
    ASSERT_EQ(follower.Drain(reader.elements()).value(), NfChange::kElements);
    NfFlow flow;
    flow.destination = *IpAddress::Parse("198.51.0.1");
    EXPECT_EQ(Evaluate(reader.Renew(), flow).mark, 1u);
    const auto expiry = reader.elements()->NextExpiry();
    ASSERT_TRUE(expiry);
    while (NftElements::Clock::now() < *expiry) poll(nullptr, 0, 10);
    EXPECT_EQ(follower.Drain(reader.elements()).value(), NfChange::kNothing);
    EXPECT_EQ(Evaluate(reader.Renew(), flow).mark, 0u);
    EXPECT_FALSE(reader.elements()->NextExpiry());
    // The kernel's clock has ticks.
    poll(nullptr, 0, 20);
    EXPECT_EQ(Evaluate(ByList(), flow).mark, 0u);
  });
}

// Nor when a packet adds one.
TEST(FollowSets, WhatPacketsAddIsReadWhenAskedFor) {
  InANetwork([] {
    ASSERT_EQ(Feed("nft -f -",
                   "table ip t {\n set s { type ipv4_addr; flags dynamic; size 9; }\n"
                   " chain p { type filter hook postrouting priority 0;\n"
                   "  ip daddr 203.0.113.0/24 add @s { ip daddr }\n }\n"
                   " chain o { type route hook output priority mangle;\n"
                   "  ip daddr @s meta mark set 1\n }\n}\n"),
              absl::OkStatus());
    RuleReader reader;
    NfFlow flow;
    flow.destination = *IpAddress::Parse("198.51.0.1");
    EXPECT_EQ(Evaluate(reader.Read(), flow).mark, 0u);
    ASSERT_EQ(Feed("nft -f -", "add element ip t s { 198.51.0.1 }\n"), absl::OkStatus());
    EXPECT_EQ(Evaluate(reader.Renew(), flow).mark, 0u) << "nobody has told";
    EXPECT_TRUE(reader.PollSets());
    EXPECT_EQ(Evaluate(reader.Renew(), flow).mark, 1u);
  });
}

}  // namespace
}  // namespace srcsel
