// What is to be said about the marks of a policy beside what resolve.hh finds: that a mark is led
// to a table that leads nowhere (dead_tables.hh), and that apply = "bind" counts on a firewall that
// marks nothing.
//
// Pure but for that names, and for the latter the firewall, are read. Cost: that of dead_tables.hh;
// of the latter a snapshot, and where a bound source would go astray, reading the firewall's rules.

#pragma once

#include "absl/status/status.h"
#include "policy/finding.hh"
#include "policy/policy.hh"
#include "state/state.hh"

namespace srcsel {

// One warning a rule, of a policy that is resolved.
void ReportDeadMarks(const Policy &policy, const State &state, Findings &findings);

// One warning a rule whose source leaves by another uplink unless something marks its packets,
// where nothing does. What is not known of the firewall may.
absl::Status ReportUnmarkedBinds(const Policy &policy, const State &state, Findings &findings);

}  // namespace srcsel
