#include "agent/steer.hh"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/mark_rules.hh"
#include "agent/steering_commands.hh"
#include "agent/steering_rule.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

bool LetsTheKernelChoose(const PolicyRule &rule) {
  return rule.pool != nullptr &&
         std::ranges::any_of(rule.pool->members, [](const PoolMember &m) { return !m.source; });
}

std::optional<MarkRule> SteeringMark(const std::vector<Way> &ways, const Snapshot &snapshot) {
  for (int family : {AF_INET, AF_INET6})
    for (const MarkRule &rule : MarkRules(snapshot.state(), family))
      if (std::ranges::none_of(ways, [&](const Way &way) {
            return FirstAstray(way, rule.mark, snapshot).has_value();
          }))
        return rule;
  return std::nullopt;
}

}  // namespace

bool WantsSteering(const PolicyRule &rule) {
  return !rule.mark && !rule.lookup && !SourcesOf(rule).empty();
}

absl::Status AdviseOn(const Way &way, const std::string &astray, Advice advice, const State &state,
                      Severity severity, absl::string_view key, RuleFindings &found,
                      std::vector<Rule> &wanted) {
  if (advice == Advice::kNone) {
    found.Add(severity, key, astray);
    return absl::OkStatus();
  }
  if (advice == Advice::kSteer) {
    SRCSEL_ASSIGN_OR_RETURN(const Steering steering, FindSteering(way, state));
    if (steering.rule) {
      found.Add(
          Severity::kNote, key,
          absl::StrCat(astray, "; srcsel steers it: ip rule ", SteeringWords(*steering.rule)));
      if (std::ranges::find(wanted, *steering.rule) == wanted.end())
        wanted.push_back(*steering.rule);
      return absl::OkStatus();
    }
  }
  SRCSEL_ASSIGN_OR_RETURN(const Commands commands, CommandsThatSteer(way, state));
  found.Add(
      severity, key,
      absl::StrCat(astray, "; unless a mark set in OUTPUT sends it there: ", commands.ToString()));
  return absl::OkStatus();
}

absl::Status Steer(PolicyRule &rule, const Snapshot &snapshot, Advice advice, Findings &findings,
                   std::vector<Rule> &wanted) {
  const State &state = snapshot.state();
  const std::vector<Way> ways = WaysOf(rule, state);
  std::vector<std::pair<const Way *, Astray>> wrong;
  for (const Way &way : ways)
    if (const auto astray = FirstAstray(way, kNoMark, snapshot)) wrong.emplace_back(&way, *astray);
  if (wrong.empty()) return absl::OkStatus();
  RuleFindings found(rule, findings);
  const auto steering = LetsTheKernelChoose(rule) ? std::nullopt : SteeringMark(ways, snapshot);
  if (steering) {
    rule.mark = steering->mark;
    rule.home_mark = true;
    rule.led_mark = true;
    found.Add(Severity::kNote, "source",
              absl::StrCat("leaves by its uplink with mark ", steering->mark.ToString(),
                           ", which is set too: ip rule ", steering->pref, " has it look up table ",
                           TableName(steering->table)));
    return absl::OkStatus();
  }
  for (const auto &[way, astray] : wrong)
    SRCSEL_RETURN_IF_ERROR(AdviseOn(*way, Describe(*way, astray, state), advice, state,
                                    Severity::kWarning, "source", found, wanted));
  return absl::OkStatus();
}

}  // namespace srcsel
