#include "agent/steering_commands.hh"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/steering_rule.hh"
#include "base/in_netns.hh"
#include "base/iproute_names.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

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

std::string CommandOf(const Rule &rule) {
  return absl::StrCat(rule.family == AF_INET ? "ip" : "ip -6", " rule add ", SteeringWords(rule));
}

}  // namespace

absl::StatusOr<Commands> CommandsThatSteer(const Way &way, const State &state) {
  SRCSEL_ASSIGN_OR_RETURN(const Steering steering, FindSteering(way, state));
  if (steering.rule) return Commands{CommandOf(*steering.rule), ""};
  if (steering.overruling)
    return Commands{"", absl::StrCat("a place for a rule that takes nothing from ip rule ",
                                     steering.overruled, ", by fwmark, as this one does: ",
                                     AsTyped(CommandOf(*steering.overruling)))};
  const std::uint32_t table = UnusedTable(state);
  SRCSEL_ASSIGN_OR_RETURN(const Rule rule, UntriedSteering(way, table, state));
  Commands commands;
  for (const std::uint32_t device : way.uplink.devices) {
    commands = CommandsForDefault(*LinkOf(state, device), absl::StrCat(table), rule.family, state,
                                  "", absl::StrCat(" && ", CommandOf(rule)));
    if (commands.missing.empty()) break;
  }
  return commands;
}

}  // namespace srcsel
