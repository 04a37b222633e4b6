#include "agent/steering_commands.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/mark_rules.hh"
#include "agent/own_rules.hh"
#include "base/iproute_names.hh"
#include "base/status.hh"
#include "lookup/select.hh"

namespace srcsel {
namespace {

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
  for (const auto &[is_main, table] : tables) ordered.push_back(table);
  return ordered;
}

using Preference = std::optional<std::uint32_t>;

// That of a rule that says none, one less than the second's (Linux 6.18, fib_default_rule_pref()).
std::uint32_t UsualPreference(const State &state, int family) {
  const auto first = std::ranges::find(state.rules, family, &Rule::family);
  if (first == state.rules.end() || first + 1 == state.rules.end()) return 0;
  const Rule &second = *(first + 1);
  return second.family == family && second.pref != 0 ? second.pref - 1 : 0;
}

// The state once `ip rule add [pref PREF] from ADDRESS lookup TABLE` has been typed.
State WithRule(State state, const IpAddress &address, std::uint32_t table, Preference pref) {
  Rule rule = SteeringRule(address, table);
  rule.pref = pref.value_or(UsualPreference(state, rule.family));
  auto place = std::ranges::find(state.rules, rule.family, &Rule::family);
  while (place != state.rules.end() && place->family == rule.family && place->pref <= rule.pref)
    ++place;
  state.rules.insert(place, rule);
  return state;
}

// That of the last rule by fwmark before the main table's: one of the same preference goes behind
// it.
Preference BehindMarks(const State &state, int family) {
  const auto main = std::ranges::find_if(state.rules, [&](const Rule &rule) {
    return rule.family == family && rule.table == RT_TABLE_MAIN && rule.mark_mask == 0;
  });
  Preference last;
  for (const MarkRule &rule : MarkRules(state, family))
    if (main == state.rules.end() || rule.pref < main->pref) last = rule.pref;
  return last;
}

bool SameWay(const Outcome &a, const Outcome &b) {
  return a.error == b.error && a.oif == b.oif && a.gateway == b.gateway;
}

// Whether flows that rules by fwmark lead go another way once the rule is there.
bool TakesFromMarks(const Way &way, const Snapshot &before, const Snapshot &after) {
  for (const MarkRule &rule : MarkRules(before.state(), way.uplink.address.family()))
    for (Flow flow : way.flows) {
      flow.mark = rule.mark.AppliedTo(flow.mark);
      const Outcome was = Lookup(before, flow).outcome;
      if (was.rule == rule.pref && !SameWay(was, Lookup(after, flow).outcome)) return true;
    }
  return false;
}

std::uint32_t UnusedTable(const State &state) {
  const IprouteNames names = IprouteNames::Tables();
  const auto used = [&](std::uint32_t table) {
    return !names.NameOf(table).empty() ||
           std::ranges::find(state.rules, table, &Rule::table) != state.rules.end() ||
           std::ranges::find(state.routes.terms(), table, &RouteTerms::table) !=
               state.routes.terms().end();
  };
  std::uint32_t table = 100;
  while (used(table)) ++table;
  return table;
}

}  // namespace

absl::StatusOr<std::optional<std::uint32_t>> TableThatSteers(const Way &way, const State &state) {
  for (std::uint32_t table : TablesWithRoutesBy(way.uplink, state)) {
    SRCSEL_ASSIGN_OR_RETURN(
        const std::unique_ptr<const Snapshot> trial,
        Snapshot::Make(WithRule(state, way.uplink.address, table, std::nullopt), 1));
    if (!FirstAstray(way, kNoMark, *trial)) return table;
  }
  return std::nullopt;
}

absl::StatusOr<Commands> CommandsThatSteer(const Way &way, const State &state) {
  const IpAddress &address = way.uplink.address;
  const Preference behind = BehindMarks(state, address.family());
  const auto rule = [&](std::uint32_t table, Preference pref) {
    return absl::StrCat(address.is_v4() ? "ip" : "ip -6", " rule add ",
                        pref ? absl::StrCat("pref ", *pref, " ") : "", "from ", address.ToString(),
                        " lookup ", TableName(table));
  };
  SRCSEL_ASSIGN_OR_RETURN(const auto now, Snapshot::Make(state, 1));
  for (const std::uint32_t table : TablesWithRoutesBy(way.uplink, state))
    for (const Preference pref : {Preference(), behind}) {
      SRCSEL_ASSIGN_OR_RETURN(const auto trial,
                              Snapshot::Make(WithRule(state, address, table, pref), 1));
      if (!FirstAstray(way, kNoMark, *trial) && !TakesFromMarks(way, *now, *trial))
        return Commands{rule(table, pref), ""};
    }
  const std::uint32_t table = UnusedTable(state);
  Commands commands;
  for (const std::uint32_t device : way.uplink.devices) {
    commands = CommandsForDefault(*LinkOf(state, device), absl::StrCat(table), address.family(),
                                  state, "", absl::StrCat(" && ", rule(table, behind)));
    if (commands.missing.empty()) break;
  }
  return commands;
}

}  // namespace srcsel
