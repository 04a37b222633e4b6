// Which marks lead to which tables.

#include "agent/mark_rules.hh"

#include <linux/fib_rules.h>

#include <gtest/gtest.h>

#include "fixtures.hh"

namespace srcsel {
namespace {

Rule Marked(std::uint32_t pref, const Mark &mark, std::uint32_t table, int family = AF_INET) {
  Rule rule = Lookup(pref, table, family);
  rule.mark = mark.value;
  rule.mark_mask = mark.mask;
  return rule;
}

State StateWith(std::vector<Rule> rules) {
  State state;
  state.rules = std::move(rules);
  return state;
}

std::string LeadsTo(const State &state, std::uint32_t table,
                    const std::vector<int> &families = {AF_INET, AF_INET6}) {
  const auto mark = MarkThatLeadsTo(state, table, families);
  return mark ? mark->ToString() : "none";
}

TEST(MarkThatLeads, IsThatOfARuleByMarkAlone) {
  EXPECT_EQ(LeadsTo(StateWith({Marked(1, {100}, 7)}), 7), "0x64");
  EXPECT_EQ(LeadsTo(StateWith({Marked(1, {0x10, 0xf0}, 7)}), 7), "0x10/0xf0");
  EXPECT_EQ(LeadsTo(StateWith({Marked(1, {100}, 7)}), 8), "none");
  EXPECT_EQ(LeadsTo(StateWith({Lookup(1, 7)}), 7), "none");
}

TEST(MarkThatLeads, IsNotThatOfOtherRules) {
  Rule inverted = Marked(1, {100}, 7), zero = Marked(1, {0, 0xff}, 7), narrow = Marked(1, {100}, 7),
       refusing = Marked(1, {100}, 7), suppressing = Marked(1, {100}, 7);
  inverted.flags = FIB_RULE_INVERT;
  narrow.dports = Range16{80, 80};
  refusing.action = FR_ACT_PROHIBIT;
  suppressing.suppress_plen = 0;
  for (const Rule &rule : {inverted, zero, narrow, refusing, suppressing})
    EXPECT_EQ(LeadsTo(StateWith({rule}), 7), "none");
}

TEST(MarkThatLeads, IsNotSentElsewhereBefore) {
  EXPECT_EQ(LeadsTo(StateWith({Marked(1, {0x4, 0xf}, 8), Marked(2, {0x64}, 7)}), 7), "none");
  EXPECT_EQ(LeadsTo(StateWith({Marked(1, {0x5, 0xf}, 8), Marked(2, {0x64}, 7)}), 7), "0x64");
  EXPECT_EQ(
      LeadsTo(StateWith({Marked(1, {0x4, 0xf}, 8), Marked(2, {0x64}, 7), Marked(3, {0x65}, 7)}), 7),
      "0x65");
}

TEST(MarkThatLeads, LeadsThereInBothFamiliesIfAnyDoes) {
  const State both = StateWith({Marked(1, {1}, 7), Marked(2, {2}, 7), Marked(1, {2}, 7, AF_INET6)});
  EXPECT_EQ(LeadsTo(both, 7), "0x2");
  EXPECT_EQ(LeadsTo(both, 7, {AF_INET}), "0x1");
  EXPECT_EQ(LeadsTo(StateWith({Marked(1, {1}, 7), Marked(1, {2}, 7, AF_INET6)}), 7), "0x1");
  EXPECT_EQ(LeadsTo(StateWith({Marked(1, {2}, 7, AF_INET6)}), 7), "0x2");
  EXPECT_EQ(LeadsTo(StateWith({Marked(1, {2}, 7, AF_INET6)}), 7, {AF_INET}), "none");
}

TEST(AnyRuleSelects, WhateverElseItSelectsBy) {
  Rule narrow = Marked(1, {0x10, 0xf0}, 7);
  narrow.uids = Range32{0, 0};
  EXPECT_TRUE(AnyRuleSelects(StateWith({narrow}), AF_INET, 0x1f));
  EXPECT_FALSE(AnyRuleSelects(StateWith({narrow}), AF_INET, 0x2f));
  EXPECT_FALSE(AnyRuleSelects(StateWith({narrow}), AF_INET6, 0x1f));
}

TEST(AnyRuleTells, WhatIsMarkedFromWhatIsNot) {
  const auto tells = [](const Rule &rule, const Mark &mark) {
    return AnyRuleTells(StateWith({rule}), AF_INET, mark);
  };
  EXPECT_TRUE(tells(Marked(1, {7}, 100), {7}));
  EXPECT_FALSE(tells(Marked(1, {100}, 100), {7}));
  EXPECT_TRUE(tells(Marked(1, {0, 0xff}, 100), {7})) << "it selects what has no mark";
  EXPECT_FALSE(tells(Marked(1, {0, 0xff00}, 100), {7}));
  EXPECT_FALSE(tells(Marked(1, {0x100, 0xff00}, 100), {7, 0xff})) << "they have no bit in common";
  EXPECT_TRUE(tells(Marked(1, {0x107, 0xffff}, 100), {7, 0xff})) << "the rest may be the socket's";
  EXPECT_FALSE(tells(Lookup(1, 100), {7}));
  EXPECT_FALSE(tells(Marked(1, {7}, 100, AF_INET6), {7}));
  Rule others = Marked(1, {7}, 100);
  others.flags = FIB_RULE_INVERT;
  EXPECT_TRUE(tells(others, {7}));
}

TEST(UnusedMark, IsTheWishOrOneNearIt) {
  EXPECT_EQ(UnusedMark(StateWith({}), 7), 7u);
  EXPECT_EQ(UnusedMark(StateWith({}), 0), 1u);
  EXPECT_EQ(UnusedMark(StateWith({Marked(1, {7}, 1), Marked(1, {8}, 1, AF_INET6)}), 7), 9u);
}

}  // namespace
}  // namespace srcsel
