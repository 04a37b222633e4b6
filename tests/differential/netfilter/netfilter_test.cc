// What Evaluate() and CompileMarks() say of a flow is what the kernel does with it: rule sets drawn
// from the grammar, loaded by nft and both iptables, and flows really sent through them.

#include <netinet/in.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dice.hh"
#include "draw_iptables.hh"
#include "draw_nft.hh"
#include "netfilter/compile_marks.hh"
#include "netfilter/evaluate.hh"
#include "netfilter/read_rules.hh"
#include "netfilter/run_program.hh"
#include "network.hh"
#include "policy_match.hh"

namespace srcsel {
namespace {

constexpr std::size_t kFlows = 200;

std::uint32_t FromEnvironment(const char *name, std::uint32_t otherwise) {
  const char *said = std::getenv(name);
  return said == nullptr ? otherwise : static_cast<std::uint32_t>(std::strtoul(said, nullptr, 0));
}

struct RuleText {
  std::string program, text;
};

// Nft refuses rules that contradict themselves.
std::string DrawAcceptableNft(Dice &dice, bool unknown) {
  for (;;)
    if (std::string text = DrawNft(dice, unknown); Feed("nft -c -f - 2>/dev/null", text).ok())
      return text;
}

// What a host may have: one kind of rules, now and then two.
std::vector<RuleText> DrawRules(Dice &dice, bool unknown) {
  std::vector<RuleText> rules;
  const auto iptables = [&](const std::string &variant) {
    if (!dice.OneIn(5))
      rules.push_back({"iptables-" + variant + "-restore", DrawIptables(dice, false, unknown)});
    if (!dice.OneIn(3))
      rules.push_back({"ip6tables-" + variant + "-restore", DrawIptables(dice, true, unknown)});
  };
  const std::size_t kind = dice.Below(8);
  if (kind <= 4) rules.push_back({"nft -f -", DrawAcceptableNft(dice, unknown)});
  if (kind == 4 || kind == 5 || kind == 6) iptables("nft");
  if (kind == 7) iptables("legacy");
  return rules;
}

NfFlow DrawFlow(Dice &dice, std::size_t number) {
  const bool v4 = dice.OneIn(2);
  NfFlow flow;
  flow.destination = *IpAddress::Parse(
      v4 ? absl::StrCat("198.51.", dice.Below(3), ".", dice.Below(6))
         : absl::StrCat("2001:db8::", dice.Below(3), ":", dice.Below(6)));
  const std::uint8_t ping = v4 ? std::uint8_t{IPPROTO_ICMP} : std::uint8_t{IPPROTO_ICMPV6};
  flow.proto =
      dice.Of<std::uint8_t>({IPPROTO_UDP, IPPROTO_UDP, IPPROTO_UDP, IPPROTO_TCP, IPPROTO_TCP, ping});
  flow.dport = dice.Of<std::uint16_t>({53, 80, 443, 1000, 1003, 1005, 1500});
  flow.sport = static_cast<std::uint16_t>(10000 + number % 50000);
  flow.uid = dice.Of<std::uint32_t>({0, 1000, 1001, 2000});
  flow.gid = dice.Of<std::uint32_t>({0, 5, 6});
  if (dice.OneIn(4)) flow.mark = dice.Of<std::uint32_t>({1, 2, 3, 0x10, 0x64, 0x101, 0x80000});
  if (dice.OneIn(8)) flow.dscp = dice.Of<std::uint8_t>({8, 10});
  flow.out_device = absl::StrCat("u", flow.mark & 3);
  flow.source = Network::AddressOf(flow.destination.family(), flow.mark & 3);
  return flow;
}

std::string Describe(const NfFlow &flow) {
  return absl::StrCat(flow.destination.ToString(), " proto ", flow.proto, " dport ", flow.dport,
                      " uid ", flow.uid, " gid ", flow.gid, " mark ", flow.mark, " dscp ",
                      flow.dscp);
}

struct Tally {
  std::size_t sets = 0, flows = 0, unknown = 0, left = 0, marked = 0, bound = 0;
};

class NetfilterTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "making a network namespace needs root";
  }

  // One rule set, and flows through it.
  void Try(std::uint32_t seed, Network &network) {
    Dice dice(seed);
    const bool unknown = dice.OneIn(4);
    const std::vector<RuleText> texts = DrawRules(dice, unknown);
    std::string trace = absl::StrCat("SRCSEL_SEED=", seed, " SRCSEL_SETS=1\n");
    for (const RuleText &rules : texts) {
      ASSERT_TRUE(Feed(rules.program, rules.text).ok()) << rules.program << "\n" << rules.text;
      absl::StrAppend(&trace, rules.program, "\n", rules.text);
    }
    SCOPED_TRACE(trace);
    const NfRuleSet rules = ReadRules();
    ASSERT_TRUE(rules.skipped.empty()) << rules.skipped.front();
    const MarkPolicy policy = CompileMarks(rules, 1984);
    std::cerr << "seed " << seed << " rules " << policy.rules.size() << " limits " << policy.limits.size() << "\n";
    for (auto& l : policy.limits) std::cerr << l << "\n";
    ++tally_.sets;
    Compare(rules, policy, unknown, dice, network);
    Unload(network);
  }

  void Compare(const NfRuleSet &rules, const MarkPolicy &policy, bool may_be_unknown, Dice &dice,
               Network &network) {
    std::vector<NfFlow> flows, again;
    std::vector<NfOutcome> outcomes, hoped;
    for (std::size_t i = 0; i < kFlows; ++i) {
      flows.push_back(DrawFlow(dice, ++sports_));
      outcomes.push_back(Evaluate(rules, flows.back()));
      Count(policy, flows.back(), outcomes.back(), may_be_unknown);
      // What the hook would make of it.
      NfFlow applied = flows.back();
      if (outcomes.back().unknown.empty() && Apply(policy, applied)) {
        applied.sport = static_cast<std::uint16_t>(10000 + ++sports_ % 50000);
        again.push_back(applied);
        hoped.push_back(outcomes.back());
      }
    }
    Send(flows, outcomes, false, network);
    Send(again, hoped, true, network);
  }

  // Whether the policy does something about the flow; then it is as it would be after that.
  static bool Apply(const MarkPolicy &policy, NfFlow &flow) {
    const PolicyRule *rule = FirstMatch(policy.rules, flow);
    if (rule == nullptr || !rule->mark) return false;
    const std::uint32_t mark = rule->mark->AppliedTo(flow.mark);
    if (rule->apply == srcsel::Apply::kMark) flow.mark = mark;
    flow.source = Network::AddressOf(flow.destination.family(), mark & 3);
    return true;
  }

  void Count(const MarkPolicy &policy, const NfFlow &flow, const NfOutcome &outcome,
             bool may_be_unknown) {
    ++tally_.flows;
    const PolicyRule *rule = FirstMatch(policy.rules, flow);
    if (!outcome.unknown.empty()) {
      ++tally_.unknown;
      EXPECT_TRUE(may_be_unknown) << Describe(flow) << ": " << outcome.unknown;
      return;
    }
    if (outcome.dropped) return;
    if (rule != nullptr && rule->mark) {
      ++(rule->apply == srcsel::Apply::kMark ? tally_.marked : tally_.bound);
      EXPECT_EQ(rule->mark->AppliedTo(flow.mark), outcome.routed)
          << Describe(flow) << " by " << rule->name << " rule " << (rule - policy.rules.data()) << " passed: " << absl::StrJoin(outcome.passed, "; ");
    } else if (rule != nullptr && !rule->name.empty() && rule->leave && IsUnknown(*rule)) {
      ++tally_.left;
    } else {
      // Left alone: it may lose bits of a mark of its own, and gains none.
      if (policy.limits.empty()) {
        EXPECT_EQ(outcome.routed & ~flow.mark, 0u) << Describe(flow);
      }
    }
  }

  static bool IsUnknown(const PolicyRule &rule) {
    return rule.name.find(": ") != std::string::npos;
  }

  void Send(const std::vector<NfFlow> &flows, const std::vector<NfOutcome> &outcomes, bool bound,
            Network &network) {
    for (std::size_t i = 0; i < flows.size(); ++i)
      ASSERT_EQ(network.Send(flows[i], bound, static_cast<std::uint32_t>(i + 1) << 4),
                absl::OkStatus());
    const auto seen = network.TakeSeen();
    ASSERT_TRUE(seen.ok()) << seen.status();
    for (std::size_t i = 0; i < flows.size(); ++i) {
      const NfOutcome &outcome = outcomes[i];
      if (!outcome.unknown.empty()) continue;
      const auto found = seen->find(static_cast<std::uint32_t>(i + 1) << 4);
      const std::string flow = Describe(flows[i]);
      if (outcome.dropped) {
        EXPECT_TRUE(found == seen->end()) << flow << " is not dropped";
        continue;
      }
      if (found == seen->end()) {
        ADD_FAILURE() << flow << " has not left";
        continue;
      }
      EXPECT_EQ(found->second.mark, outcome.mark) << flow << (bound ? ", applied" : "");
      EXPECT_EQ(found->second.way, outcome.routed & 3) << flow << (bound ? ", applied" : "");
    }
  }

  static void Unload(Network &network) {
    (void)network;
    ASSERT_TRUE(Feed("nft -f -", "flush ruleset\n").ok());
  }

  Tally tally_;
  std::size_t sports_ = 0;
};

TEST_F(NetfilterTest, PredictsTheMarkThatArrives) {
  const std::uint32_t seed = FromEnvironment("SRCSEL_SEED", 1);
  const std::uint32_t sets = FromEnvironment("SRCSEL_SETS", 200);
  for (std::uint32_t i = 0; i < sets && !HasFailure(); ++i) {
    // A namespace for each: conntrack knows none of its flows, legacy tables go with it.
    std::thread([&] {
      Network network;
      ASSERT_EQ(network.Open(), absl::OkStatus());
      Try(seed + i, network);
    }).join();
  }
  std::cout << tally_.sets << " rule sets, " << tally_.flows << " flows: " << tally_.unknown
            << " unknown, " << tally_.left << " left to the kernel for what a hook does not see, "
            << tally_.marked << " marked, " << tally_.bound << " bound\n";
}

}  // namespace
}  // namespace srcsel
