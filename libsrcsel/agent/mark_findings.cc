#include "agent/mark_findings.hh"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/dead_tables.hh"
#include "agent/rule_findings.hh"
#include "agent/sample_flows.hh"
#include "agent/way.hh"
#include "base/status.hh"
#include "lookup/snapshot.hh"
#include "netfilter/compile_marks.hh"
#include "netfilter/read_rules.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

bool LeadsTo(const PolicyRule &rule, const DeadTable &dead) {
  return (rule.mark->AppliedTo(0) & dead.rule.mark.mask) == dead.rule.mark.value &&
         !SampleFlows(rule, dead.family).empty();
}

bool MayBeMarked() {
  const NfRuleSet firewall = ReadRules();
  if (!firewall.skipped.empty() || !firewall.unread_sets.empty()) return true;
  const MarkPolicy marks = CompileMarks(firewall, SRCSEL_MAX_POLICY);
  return !marks.not_understood.empty() ||
         std::ranges::any_of(marks.rules,
                             [](const PolicyRule &rule) { return rule.mark.has_value(); });
}

}  // namespace

void ReportDeadMarks(const Policy &policy, const State &state, Findings &findings) {
  const std::vector<DeadTable> all = FindDeadTables(state);
  for (const PolicyRule &rule : policy.rules) {
    if (!rule.mark) continue;
    const auto dead =
        std::ranges::find_if(all, [&](const DeadTable &table) { return LeadsTo(rule, table); });
    if (dead == all.end()) continue;
    const std::string mend = dead->mend.ToString();
    RuleFindings(rule, findings)
        .Add(Severity::kWarning, rule.lookup ? "lookup" : "mark",
             absl::StrCat(dead->words, mend.empty() ? "" : "; ", mend));
  }
}

absl::Status ReportUnmarkedBinds(const Policy &policy, const State &state, Findings &findings) {
  std::unique_ptr<const Snapshot> snapshot;
  for (const PolicyRule &rule : policy.rules) {
    if (!rule.mark || rule.apply != Apply::kBind) continue;
    if (!snapshot) {
      SRCSEL_ASSIGN_OR_RETURN(snapshot, Snapshot::Make(state, 1));
    }
    for (const Way &way : WaysByTables(rule, *snapshot)) {
      const auto astray = FirstAstray(way, kNoMark, *snapshot);
      if (!astray) continue;
      if (MayBeMarked()) return absl::OkStatus();
      RuleFindings(rule, findings)
          .Add(Severity::kWarning, "apply",
               absl::StrCat("the firewall marks nothing, and without a mark ",
                            Describe(way, *astray, state),
                            "; with apply mark, the socket has the mark itself"));
      break;
    }
  }
  return absl::OkStatus();
}

}  // namespace srcsel
