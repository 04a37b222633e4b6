// Where the first datagram of an unconnected UDP socket goes, under a rule that sets a mark.
//
// A hook in sendmsg() chooses that datagram's source, but a mark it sets acts from the next one on.
// So the source alone must send it out by the right uplink, as with a chosen one (steer.hh).
//
// Cost: 0.5 us a sample flow, and that of steering_commands.hh for each source that goes astray.

#pragma once

#include <vector>

#include "absl/status/status.h"
#include "agent/steer.hh"
#include "lookup/snapshot.hh"
#include "policy/finding.hh"
#include "policy/policy.hh"

namespace srcsel {

// Whether the rule sets a mark and may hold for UDP.
bool MarksDatagrams(const PolicyRule &rule);

// A note for each source that such a datagram would have and go astray with; `advice` and `wanted`
// as in Steer().
absl::Status ReportFirstDatagrams(const PolicyRule &rule, const Snapshot &snapshot, Advice advice,
                                  Findings &findings, std::vector<Rule> &wanted);

}  // namespace srcsel
