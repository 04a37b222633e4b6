// What becomes of each ip rule of a lookup, and of each rule of a policy.

#include "lookup/rule_steps.hh"

#include <linux/fib_rules.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fixtures.hh"
#include "lookup/policy_steps.hh"
#include "lookup/rank_sources6.hh"

namespace srcsel {
namespace {

using ::testing::ElementsAre;

// Table 1 has nothing for 192.0.2.1, table 2 a default, 3 says to go on, 4 forbids.
const std::vector<Route> kRoutes = {RouteTo("10.0.0.0/8", 1, 2), RouteTo("0.0.0.0/0", 2, 3),
                                    NoRouteTo("0.0.0.0/0", 3, RTN_THROW),
                                    NoRouteTo("0.0.0.0/0", 4, RTN_PROHIBIT)};

Flow AsksFor(absl::string_view destination) {
  Flow flow;
  flow.destination = Address(destination);
  flow.source = IpAddress::Any(flow.destination.family());
  flow.dport = 443;
  flow.uid = 1000;
  return flow;
}

// "10 skipped fwmark,uidrange"
std::vector<std::string> Steps(std::vector<Rule> rules, const Flow &flow = AsksFor("192.0.2.1")) {
  State state = StateOf({On(3, "10.1.0.1/24")}, kRoutes);
  state.rules = std::move(rules);
  const auto snapshot = Snapshot::Make(std::move(state), 1).value();
  std::vector<std::string> words;
  for (const RuleStep &step : RuleSteps(*snapshot, flow)) {
    words.push_back(absl::StrCat(step.pref, " ", RuleEndWord(step.end)));
    if (!step.missed.empty())
      absl::StrAppend(&words.back(), " ",
                      absl::StrJoin(step.missed, ",", [](std::string *out, RuleSelector selector) {
                        *out += RuleSelectorWord(selector);
                      }));
  }
  return words;
}

Rule Acting(std::uint32_t pref, int action) {
  Rule rule = Lookup(pref, 0);
  rule.action = static_cast<std::uint8_t>(action);
  return rule;
}

TEST(RuleSteps, EndWithTheRuleThatDecides) {
  EXPECT_THAT(Steps({Lookup(1, 1), Lookup(2, 2), Lookup(3, 2)}),
              ElementsAre("1 no-route", "2 decides"));
  EXPECT_THAT(Steps({Lookup(1, 77)}), ElementsAre("1 no-route"));
}

TEST(RuleSteps, NameEverySelectorThatFails) {
  Rule marked = Lookup(1, 2);
  marked.mark = 100;
  marked.mark_mask = 0xff;
  marked.uids = Range32{0, 999};
  marked.to = Net("192.0.2.0/24");
  Rule elsewhere = Lookup(2, 2);
  elsewhere.to = Net("198.51.100.0/24");
  elsewhere.from = Net("10.1.0.0/16");
  elsewhere.proto = IPPROTO_UDP;
  elsewhere.dports = Range16{53, 53};
  elsewhere.sports = Range16{1, 2};
  elsewhere.dscp = 5;
  Rule other_host = Lookup(3, 2);
  other_host.iif = "eth0";
  Rule device = Lookup(4, 2);
  device.oif = "eth0";
  EXPECT_THAT(Steps({marked, elsewhere, other_host, device}),
              ElementsAre("1 skipped fwmark,uidrange", "2 skipped to,from,ipproto,dport,sport,dscp",
                          "3 skipped iif", "4 skipped oif"));
  Flow flow = AsksFor("192.0.2.1");
  flow.mark = 0x1064;
  flow.uid = 999;
  EXPECT_THAT(Steps({marked}, flow), ElementsAre("1 decides"));
}

TEST(RuleSteps, AnInvertedRuleFailsByWhatHolds) {
  Rule inverted = Lookup(1, 2);
  inverted.flags = FIB_RULE_INVERT;
  inverted.to = Net("192.0.2.0/24");
  EXPECT_THAT(Steps({inverted}), ElementsAre("1 skipped"));
  inverted.to = Net("198.51.100.0/24");
  EXPECT_THAT(Steps({inverted}), ElementsAre("1 decides"));
}

TEST(RuleSteps, WhatTablesAndActionsDo) {
  Rule suppressing = Lookup(2, 2);
  suppressing.suppress_plen = 0;
  Rule jump = Acting(4, FR_ACT_GOTO);
  jump.goto_pref = 6;
  EXPECT_THAT(
      Steps({Lookup(1, 3), suppressing, Acting(3, FR_ACT_NOP), jump, Lookup(5, 2), Lookup(6, 4),
             Lookup(7, 2)}),
      ElementsAre("1 throw", "2 suppressed", "3 nop", "4 goto", "5 jumped-over", "6 forbids"));
  EXPECT_THAT(Steps({Acting(1, FR_ACT_UNREACHABLE)}), ElementsAre("1 forbids"));
}

TEST(RuleSteps, LeadToTheTermsOfTheRoute) {
  State state = StateOf({On(3, "10.1.0.1/24")}, {RouteTo("0.0.0.0/0", 2, 3, "10.1.0.1")});
  state.rules = {Lookup(1, 2)};
  const auto snapshot = Snapshot::Make(std::move(state), 1).value();
  const std::vector<RuleStep> steps = RuleSteps(*snapshot, AsksFor("192.0.2.1"));
  ASSERT_TRUE(steps.back().terms.has_value());
  EXPECT_EQ(snapshot->state().routes.terms()[*steps.back().terms].prefsrc, Address("10.1.0.1"));
}

TEST(PolicySteps, NameWhatTheFlowHasOtherwise) {
  PolicyRule elsewhere = Marking("1"), tool = Marking("2"), fits = Marking("3");
  elsewhere.to = {Net("198.51.100.0/24")};
  elsewhere.dports = {{80, 80}};
  tool.comms = {"wget"};
  tool.protos = {IPPROTO_TCP};
  const Image image = ImageOf(StateOf({}, {}), {elsewhere, tool, fits});
  const srcsel_flow flow = FlowTo("192.0.2.1");
  const std::vector<PassedRule> passed = RulesPassed(image, flow, Decide(image, flow).policy);
  ASSERT_EQ(passed.size(), 2u);
  EXPECT_THAT(passed[0].missed, testing::UnorderedElementsAre(SRCSEL_BY_DST, SRCSEL_BY_DPORT));
  EXPECT_THAT(passed[1].missed, ElementsAre(SRCSEL_BY_COMM));
  EXPECT_TRUE(RulesPassed(image, flow, SRCSEL_NONE)[2].missed.empty());
}

TEST(PolicySteps, NameTheOnlyProperty) {
  PolicyRule near = Marking("1"), far = Marking("2"), last = Marking("3");
  near.to = {Net("198.51.100.0/24")};
  far.to = {Net("192.0.2.0/24")};
  last.to = {Net("203.0.113.0/24")};
  const Image image = ImageOf(StateOf({}, {}), {near, far, last});
  const auto passed = [&](const char *to) {
    return RulesPassed(image, FlowTo(to), Decide(image, FlowTo(to)).policy);
  };
  EXPECT_EQ(passed("198.51.100.1").size(), 0u);
  EXPECT_EQ(passed("192.0.2.1").size(), 1u);
  EXPECT_EQ(passed("192.0.3.1").size(), 3u);
  for (const PassedRule &rule : passed("192.0.3.1"))
    EXPECT_THAT(rule.missed, ElementsAre(SRCSEL_BY_DST));
}

TEST(RankSources6, TheFirstIsTheEnginesAndItsRuleIsNamed) {
  const State state = StateOf({On(2, "fd00::1/64"), On(2, "2001:db8::1/64"),
                               On(2, "2001:db8::2/64", RT_SCOPE_UNIVERSE, IFA_F_DEPRECATED)},
                              {RouteTo("::/0", RT_TABLE_MAIN, 2)});
  const auto snapshot = Snapshot::Make(state, 1).value();
  const auto ranked = RankSources6(*snapshot, Address("2001:db8:80::1"), 2, 0);
  ASSERT_EQ(ranked.size(), 3u);
  EXPECT_EQ(ranked[0].address, Address("2001:db8::1"));
  EXPECT_THAT(WhyBefore(ranked[0], ranked[1]), testing::HasSubstr("rule 8"));
  EXPECT_EQ(ranked[2].address, Address("2001:db8::2"));
  EXPECT_THAT(WhyBefore(ranked[1], ranked[2]), testing::HasSubstr("rule 3"));
}

}  // namespace
}  // namespace srcsel
