#include "agent/first_datagram.hh"

#include <netinet/in.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/rule_findings.hh"
#include "agent/way.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

// What of the rule the finding is about: that it holds for UDP, where it says so.
const char *KeyOf(const PolicyRule &rule) {
  if (!rule.protos.empty()) return "ipproto";
  if (rule.lookup) return "lookup";
  return rule.home_mark ? "source" : "mark";
}

}  // namespace

bool MarksDatagrams(const PolicyRule &rule) {
  return rule.mark && rule.apply == Apply::kMark &&
         (rule.protos.empty() || std::ranges::count(rule.protos, IPPROTO_UDP) > 0);
}

absl::Status ReportFirstDatagrams(const PolicyRule &rule, const Snapshot &snapshot, Advice advice,
                                  Findings &findings, std::vector<Rule> &wanted) {
  PolicyRule datagrams = rule;
  datagrams.protos = {IPPROTO_UDP};
  const State &state = snapshot.state();
  RuleFindings found(rule, findings);
  for (const Way &way :
       SourcesOf(rule).empty() ? WaysByTables(datagrams, snapshot) : WaysOf(datagrams, state)) {
    const auto astray = FirstAstray(way, kNoMark, snapshot);
    if (!astray) continue;
    SRCSEL_RETURN_IF_ERROR(
        AdviseOn(way,
                 absl::StrCat("the first datagram of an unconnected UDP socket has no mark yet: ",
                              Describe(way, *astray, state)),
                 advice, state, Severity::kNote, KeyOf(rule), found, wanted));
  }
  return absl::OkStatus();
}

}  // namespace srcsel
