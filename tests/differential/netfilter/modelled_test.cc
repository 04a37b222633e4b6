// The rule sets of well-known programs, and what is announced of changes. The kernel is asked too.

#include <netinet/in.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "models.hh"
#include "netfilter/compile_marks.hh"
#include "netfilter/evaluate.hh"
#include "netfilter/follow_rules.hh"
#include "netfilter/read_rules.hh"
#include "network.hh"
#include "policy/read_policy.hh"
#include "policy/write_policy.hh"
#include "policy_match.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

NfFlow FlowOf(const Example &example, std::size_t number) {
  NfFlow flow;
  flow.destination = *IpAddress::Parse(example.destination);
  flow.proto = example.proto;
  flow.dport = example.dport;
  flow.sport = static_cast<std::uint16_t>(20000 + number);
  flow.uid = example.uid;
  flow.mark = example.mark;
  const std::uint32_t way = Network::WayOf(flow.destination, flow.mark);
  flow.out_device = absl::StrCat("u", way);
  flow.source = Network::AddressOf(flow.destination.family(), way);
  return flow;
}

// What an import writes decides as what it was written from.
void ExpectSameRules(const std::vector<PolicyRule> &rules, const std::vector<NfFlow> &flows) {
  const std::string text = WritePolicy({rules});
  const PolicyFile read = ReadPolicyText(text, "import.toml");
  ASSERT_FALSE(HasErrors(read.findings)) << read.findings.front().ToString() << "\n" << text;
  ASSERT_EQ(read.policy.rules.size(), rules.size()) << text;
  for (const NfFlow &flow : flows) {
    const PolicyRule *one = FirstMatch(rules, flow), *other = FirstMatch(read.policy.rules, flow);
    ASSERT_EQ(one == nullptr, other == nullptr) << text;
    if (one == nullptr) continue;
    EXPECT_EQ(one - rules.data(), other - read.policy.rules.data()) << text;
    EXPECT_EQ(one->mark, other->mark);
    EXPECT_EQ(one->apply, other->apply);
    EXPECT_EQ(one->leave, other->leave);
  }
}

void Try(const Model &model) {
  SCOPED_TRACE(model.name);
  Network network;
  ASSERT_EQ(network.Open(), absl::OkStatus());
  ASSERT_EQ(Load(model), absl::OkStatus());
  const NfRuleSet rules = ReadRules();
  ASSERT_TRUE(rules.skipped.empty()) << rules.skipped.front();
  const MarkPolicy policy = CompileMarks(rules, SRCSEL_MAX_POLICY);
  EXPECT_TRUE(policy.limits.empty());
  std::vector<NfFlow> flows;
  for (const Example &example : model.examples) {
    const NfFlow flow = FlowOf(example, flows.size() + 1);
    flows.push_back(flow);
    ASSERT_EQ(network.Send(flow, Call::kSendTo, static_cast<std::uint32_t>(flows.size())),
              absl::OkStatus());
    SCOPED_TRACE(testing::Message() << example.destination << " port " << example.dport);
    const NfOutcome outcome = Evaluate(rules, flow);
    EXPECT_EQ(outcome.unknown, "");
    EXPECT_EQ(outcome.dropped, example.dropped);
    if (example.dropped) continue;
    EXPECT_EQ(outcome.routed, example.expected);
    const PolicyRule *rule = FirstMatch(policy.rules, flow);
    const bool marks = rule != nullptr && rule->mark;
    EXPECT_EQ(marks ? rule->mark->AppliedTo(flow.mark) : flow.mark, example.expected);
    if (marks) {
      EXPECT_EQ(rule->apply, Apply::kMark);
    }
  }
  ExpectSameRules(policy.rules, flows);
  const auto seen = network.TakeSeen();
  ASSERT_TRUE(seen.ok()) << seen.status();
  for (std::size_t i = 0; i < flows.size(); ++i) {
    SCOPED_TRACE(testing::Message() << "flow " << i);
    const auto found = seen->find(static_cast<std::uint32_t>(i + 1));
    ASSERT_EQ(found == seen->end(), model.examples[i].dropped);
    if (found == seen->end()) continue;
    EXPECT_EQ(found->second.mark, model.examples[i].expected);
    EXPECT_EQ(Network::AddressOf(flows[i].destination.family(), found->second.way).ToString(),
              model.examples[i].source);
  }
}

const char *RulesOf(const std::string &name) {
  return std::ranges::find(Models(), name,
                           [](const Model &model) { return std::string(model.name); })
      ->rules;
}

void InANetwork(void (*test)(Network &)) {
  if (geteuid() != 0) GTEST_SKIP() << "making a network namespace needs root";
  std::thread([test] {
    Network network;
    ASSERT_EQ(network.Open(), absl::OkStatus());
    test(network);
  }).join();
}

TEST(Netfilter, UnderstandsWhatProgramsWrite) {
  if (geteuid() != 0) GTEST_SKIP() << "making a network namespace needs root";
  for (const Model &model : Models()) std::thread([&] { Try(model); }).join();
}

TEST(Netfilter, HearsOfChanges) {
  InANetwork([](Network &) {
    ASSERT_EQ(Feed("nft -f -", RulesOf("pbr")), absl::OkStatus());
    RuleFollower follower = RuleFollower::Open().value();
    EXPECT_EQ(follower.Drain(nullptr).value(), NfChange::kNothing);
    EXPECT_FALSE(follower.PollLegacy());
    ASSERT_EQ(Feed("nft -f -", "add element inet fw4 pbr_wan2_4_dst_ip_cfg { 203.0.113.1 }\n"),
              absl::OkStatus());
    EXPECT_EQ(follower.Drain(nullptr).value(), NfChange::kRules);
    EXPECT_EQ(follower.Drain(nullptr).value(), NfChange::kNothing);
    ASSERT_EQ(Feed("iptables-nft-restore", RulesOf("mwan3")), absl::OkStatus());
    EXPECT_EQ(follower.Drain(nullptr).value(), NfChange::kRules);
    EXPECT_FALSE(follower.PollLegacy());
    ASSERT_EQ(Feed("iptables-legacy-restore", RulesOf("tailscale")), absl::OkStatus());
    EXPECT_EQ(follower.Drain(nullptr).value(), NfChange::kNothing);
    EXPECT_TRUE(follower.PollLegacy());
    EXPECT_FALSE(follower.PollLegacy());
  });
}

}  // namespace
}  // namespace srcsel
