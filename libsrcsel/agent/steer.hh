// Whether what leaves with a chosen source also leaves by the uplink that owns it, and what would
// make it so.
//
// Of interest are rules that name a source and no mark. If their sample flows (way.hh) all leave by
// the uplink of their source, nothing more is needed. Else the rule gets the first mark of a
// positive fwmark rule with which those of all its sources do. Else each source that goes astray
// wants an ip rule by source (steering_rule.hh): a warning says which, or, where srcsel is to add
// it, a note does. If there is none that leaves rules by fwmark theirs, it is a warning that says
// so.
//
// Cost: 0.2 us a sample flow and mark; but of Advice::kNone, that of steering_rule.hh for each
// source that goes astray.

#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/rule_findings.hh"
#include "agent/way.hh"
#include "lookup/snapshot.hh"
#include "policy/finding.hh"
#include "policy/policy.hh"

namespace srcsel {

// What is done about a source that goes astray.
enum class Advice {
  kNone,      // it is told
  kCommands,  // and with it the command that helps
  kSteer,     // the rule that helps is wanted of srcsel
};

// Does that; `astray` says how the way goes astray.
absl::Status AdviseOn(const Way &way, const std::string &astray, Advice advice, const State &state,
                      Severity severity, absl::string_view key, RuleFindings &found,
                      std::vector<Rule> &wanted);

// Whether the rule is of interest.
bool WantsSteering(const PolicyRule &rule);

// Adds to `wanted` what Advice::kSteer asks for.
absl::Status Steer(PolicyRule &rule, const Snapshot &snapshot, Advice advice, Findings &findings,
                   std::vector<Rule> &wanted);

}  // namespace srcsel
