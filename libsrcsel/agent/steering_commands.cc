#include "agent/steering_commands.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/own_rules.hh"
#include "base/iproute_names.hh"
#include "base/status.hh"

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

// The state once `ip rule add from ADDRESS lookup TABLE` has put a rule behind the family's first.
State WithRule(State state, const IpAddress &address, std::uint32_t table) {
  Rule rule = SteeringRule(address, table);
  const auto first = std::ranges::find(state.rules, rule.family, &Rule::family);
  if (first != state.rules.end()) rule.pref = first->pref;
  state.rules.insert(first == state.rules.end() ? first : first + 1, rule);
  return state;
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
    SRCSEL_ASSIGN_OR_RETURN(const std::unique_ptr<const Snapshot> trial,
                            Snapshot::Make(WithRule(state, way.uplink.address, table), 1));
    if (!FirstAstray(way, kNoMark, *trial)) return table;
  }
  return std::nullopt;
}

absl::StatusOr<Commands> CommandsThatSteer(const Way &way, const State &state) {
  const IpAddress &address = way.uplink.address;
  const auto rule = [&](std::uint32_t table) {
    return absl::StrCat(address.is_v4() ? "ip" : "ip -6", " rule add from ", address.ToString(),
                        " lookup ", TableName(table));
  };
  SRCSEL_ASSIGN_OR_RETURN(const auto steering, TableThatSteers(way, state));
  if (steering) return Commands{rule(*steering), ""};
  const std::uint32_t table = UnusedTable(state);
  Commands commands;
  for (const std::uint32_t device : way.uplink.devices) {
    commands = CommandsForDefault(*LinkOf(state, device), absl::StrCat(table), address.family(),
                                  state, absl::StrCat(" && ", rule(table)));
    if (commands.missing.empty()) break;
  }
  return commands;
}

}  // namespace srcsel
