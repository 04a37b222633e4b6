#include "agent/steering_rule.hh"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "lookup/select.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kBeforeMain = 32765;

bool LeavesBy(const RouteTerms &terms, const Uplink &uplink) {
  return terms.type == RTN_UNICAST &&
         std::ranges::any_of(terms.nexthops,
                             [&](const Nexthop &nexthop) { return uplink.Has(nexthop.oif); });
}

// The main table last: a rule of one's own for it is the less usual way.
std::vector<std::uint32_t> TablesWithRoutesBy(const Uplink &uplink, const State &state) {
  std::set<std::pair<bool, std::uint32_t>> tables;
  for (const RouteTerms &terms : state.routes.terms())
    if (LeavesBy(terms, uplink)) tables.emplace(terms.table == RT_TABLE_MAIN, terms.table);
  std::vector<std::uint32_t> ordered;
  ordered.reserve(tables.size());
  for (const auto &[is_main, table] : tables) ordered.push_back(table);
  return ordered;
}

Rule RuleBySource(const IpAddress &source, std::uint32_t table) {
  Rule rule;
  rule.family = source.family();
  rule.pref = kBeforeMain;
  rule.from = {source, source.bits()};
  rule.to = Prefix::Default(rule.family);
  rule.table = table;
  return rule;
}

State With(const Rule &rule, State state) {
  auto place = std::ranges::find(state.rules, rule.family, &Rule::family);
  while (place != state.rules.end() && place->family == rule.family && place->pref <= rule.pref)
    ++place;
  state.rules.insert(place, rule);
  return state;
}

// Puts it before the one that leads a flow astray; false: that is no other, or there is no place.
bool PutBefore(const Astray &astray, const State &state, Rule &rule) {
  const std::uint32_t pref = astray.outcome.rule;
  const bool is_another = std::ranges::any_of(state.rules, [&](const Rule &other) {
    return other.family == rule.family && other.pref == pref;
  });
  if (!is_another || pref > rule.pref || pref < 2) return false;
  rule.pref = pref - 1;
  return true;
}

// At the last place from which it helps; nullptr: at none.
absl::StatusOr<std::unique_ptr<const Snapshot>> TryPlaces(const Way &way, const State &state,
                                                          Rule &rule) {
  for (;;) {
    SRCSEL_ASSIGN_OR_RETURN(std::unique_ptr<const Snapshot> trial,
                            Snapshot::Make(With(rule, state), 1));
    const auto astray = FirstAstray(way, kNoMark, *trial);
    if (!astray) return trial;
    if (!PutBefore(*astray, state, rule)) return nullptr;
  }
}

bool IsByMark(const Rule &rule) {
  return (rule.mark & rule.mark_mask) != 0 && !(rule.flags & FIB_RULE_INVERT);
}

bool SameWay(const Outcome &a, const Outcome &b) {
  return a.error == b.error && a.oif == b.oif && a.gateway == b.gateway;
}

// The first rule by fwmark that leads a flow of the way, once it has the mark, and then does so no
// more.
std::optional<std::uint32_t> Overruled(const Way &way, const Snapshot &before,
                                       const Snapshot &after) {
  for (const Rule &rule : before.state().rules)
    for (Flow flow : way.flows) {
      if (!IsByMark(rule) || rule.family != way.uplink.address.family()) break;
      flow.mark = Mark{rule.mark & rule.mark_mask, rule.mark_mask}.AppliedTo(flow.mark);
      const Outcome was = Lookup(before, flow).outcome;
      if (was.rule == rule.pref && !SameWay(was, Lookup(after, flow).outcome)) return rule.pref;
    }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<Steering> FindSteering(const Way &way, const State &state) {
  Steering found;
  SRCSEL_ASSIGN_OR_RETURN(const std::unique_ptr<const Snapshot> now, Snapshot::Make(state, 1));
  for (const std::uint32_t table : TablesWithRoutesBy(way.uplink, state)) {
    Rule rule = RuleBySource(way.uplink.address, table);
    SRCSEL_ASSIGN_OR_RETURN(const auto trial, TryPlaces(way, state, rule));
    if (trial == nullptr) continue;
    const auto overruled = Overruled(way, *now, *trial);
    if (!overruled) return Steering{std::move(rule), std::nullopt, 0};
    if (!found.overruling) found = {std::nullopt, std::move(rule), *overruled};
  }
  return found;
}

absl::StatusOr<Rule> UntriedSteering(const Way &way, std::uint32_t table, const State &state) {
  Rule rule = RuleBySource(way.uplink.address, table);
  SRCSEL_ASSIGN_OR_RETURN(const std::unique_ptr<const Snapshot> now, Snapshot::Make(state, 1));
  if (const auto astray = FirstAstray(way, kNoMark, *now)) PutBefore(*astray, state, rule);
  return rule;
}

std::string SteeringWords(const Rule &rule) {
  return absl::StrCat("pref ", rule.pref, " from ", rule.from.address.ToString(), " lookup ",
                      TableName(rule.table));
}

}  // namespace srcsel
