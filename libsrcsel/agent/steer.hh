// Whether what leaves with a chosen source also leaves by the uplink that owns it, and what would
// make it so.
//
// Of interest are rules that name a source and no mark. If their sample flows (way.hh) all leave by
// the uplink of their source, nothing more is needed. Else the rule gets the first mark of a
// positive fwmark rule with which those of all its sources do. Else a warning says the `ip rule add
// from` for each source that goes astray.
//
// Cost: 0.2 us a sample flow and mark; of Advice::kCommands, that of steering_commands.hh for each
// source that goes astray.

#pragma once

#include "absl/status/status.h"
#include "lookup/snapshot.hh"
#include "policy/finding.hh"
#include "policy/policy.hh"

namespace srcsel {

// Whether a warning says which command would help.
enum class Advice { kNone, kCommands };

// Whether the rule is of interest.
bool WantsSteering(const PolicyRule &rule);

absl::Status Steer(PolicyRule &rule, const Snapshot &snapshot, Advice advice, Findings &findings);

}  // namespace srcsel
