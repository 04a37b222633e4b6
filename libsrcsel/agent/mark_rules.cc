#include "agent/mark_rules.hh"

#include <linux/fib_rules.h>

#include <algorithm>

namespace srcsel {
namespace {

bool IsPositive(const Rule &rule) {
  return !(rule.flags & FIB_RULE_INVERT) && (rule.mark & rule.mark_mask) != 0;
}

// But for the mark, as a rule is that says nothing.
bool SelectsByMarkAlone(const Rule &rule) {
  Rule plain;
  plain.family = rule.family;
  plain.pref = rule.pref;
  plain.flags = rule.flags;
  plain.table = rule.table;
  plain.from = rule.from;
  plain.to = rule.to;
  plain.mark = rule.mark;
  plain.mark_mask = rule.mark_mask;
  plain.protocol = rule.protocol;
  plain.realm = rule.realm;
  return rule == plain && rule.from.length == 0 && rule.to.length == 0;
}

bool Selects(const Rule &rule, std::uint32_t mark) {
  return ((rule.mark ^ mark) & rule.mark_mask) == 0;
}

bool LeadsTo(const std::vector<MarkRule> &rules, std::uint32_t mark, std::uint32_t table) {
  const auto first = std::ranges::find_if(
      rules, [&](const MarkRule &rule) { return (mark & rule.mark.mask) == rule.mark.value; });
  return first != rules.end() && first->table == table;
}

}  // namespace

std::vector<MarkRule> MarkRules(const State &state, int family) {
  std::vector<MarkRule> found;
  for (const Rule &rule : state.rules)
    if (rule.family == family && rule.action == FR_ACT_TO_TBL && IsPositive(rule) &&
        SelectsByMarkAlone(rule))
      found.push_back({{rule.mark & rule.mark_mask, rule.mark_mask}, rule.table, rule.pref});
  return found;
}

bool AnyRuleSelects(const State &state, int family, std::uint32_t mark) {
  return std::ranges::any_of(state.rules, [&](const Rule &rule) {
    return rule.family == family && IsPositive(rule) && Selects(rule, mark);
  });
}

bool AnyRuleTells(const State &state, int family, const Mark &mark) {
  return std::ranges::any_of(state.rules, [&](const Rule &rule) {
    const std::uint32_t bits = rule.mark_mask & mark.mask;
    const bool differs = (mark.value & bits) != 0;
    const bool selects_none = (rule.mark & bits) == 0,
               selects_marked = ((rule.mark ^ mark.value) & bits) == 0;
    return rule.family == family && differs && (selects_none || selects_marked);
  });
}

std::optional<Mark> MarkThatLeadsTo(const State &state, std::uint32_t table,
                                    const std::vector<int> &families) {
  std::vector<std::vector<MarkRule>> rules;
  for (int family : families) {
    std::vector<MarkRule> of_family = MarkRules(state, family);
    if (std::ranges::find(of_family, table, &MarkRule::table) != of_family.end())
      rules.push_back(std::move(of_family));
  }
  std::optional<Mark> somewhere;
  for (const std::vector<MarkRule> &of_family : rules)
    for (const MarkRule &rule : of_family) {
      if (rule.table != table || !LeadsTo(of_family, rule.mark.value, table)) continue;
      if (std::ranges::all_of(rules, [&](const std::vector<MarkRule> &other) {
            return LeadsTo(other, rule.mark.value, table);
          }))
        return rule.mark;
      if (!somewhere) somewhere = rule.mark;
    }
  return somewhere;
}

std::uint32_t UnusedMark(const State &state, std::uint32_t wish) {
  const auto used = [&](std::uint32_t mark) {
    return std::ranges::any_of(
        state.rules, [&](const Rule &rule) { return rule.mark_mask != 0 && Selects(rule, mark); });
  };
  while (wish == 0 || used(wish)) ++wish;
  return wish;
}

}  // namespace srcsel
