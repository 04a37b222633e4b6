// The ip rules that select by a mark alone, and which table each mark leads to.
//
// Pure. Cost: linear in the rules.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/mark.hh"
#include "state/state.hh"

namespace srcsel {

// `ip rule fwmark X[/M] lookup T` of the family, as they are tried: X is not 0, the rule not
// inverted, and it has no other selector.
struct MarkRule {
  Mark mark;
  std::uint32_t table = 0;
  std::uint32_t pref = 0;
};
std::vector<MarkRule> MarkRules(const State &state, int family);

// Whether any rule of the family, whatever else it selects by, selects what has this mark.
bool AnyRuleSelects(const State &state, int family, std::uint32_t mark);

// Whether any rule of the family, whatever else it selects by, selects one of two sockets and not
// the other: one with this mark, and one that has none of its bits set. Only then may their ways
// differ.
bool AnyRuleTells(const State &state, int family, const Mark &mark);

// The first mark that leads to the table in all of these families that have a rule for it; if no
// mark does so in all, the first that does in one. A mark that an earlier rule sends elsewhere does
// not lead there.
std::optional<Mark> MarkThatLeadsTo(const State &state, std::uint32_t table,
                                    const std::vector<int> &families);

// One that no ip rule compares with, for messages.
std::uint32_t UnusedMark(const State &state, std::uint32_t wish);

}  // namespace srcsel
