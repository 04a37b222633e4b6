// A policy -> the policy as this host can apply it now: tables become marks, cgroups ids, sources
// are tried, and those that would leave by a wrong uplink get the mark that mends it (steer.hh).
//
// Contract: reads `state` and cgroup v2 and tries bind(2) in the calling thread's namespace, which
// is the state's; changes nothing. With an error among the findings the policy is not to be
// applied. An interface that a file names may be away: its rule lacks a source. What was found in
// ip rules is marked home_mark. A rule that has that already is the firewall's: where no ip rule
// tells its mark from none, the kernel is left to choose. Cost: that of check_source.hh and
// steer.hh; rules that need no steering need no snapshot. Errors: the state could not be compiled.

#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "agent/steer.hh"
#include "policy/finding.hh"
#include "policy/policy.hh"
#include "state/state.hh"

namespace srcsel {

struct Resolution {
  Policy policy;
  Findings findings;         // in the order of rules
  std::vector<Rule> wanted;  // Advice::kSteer: ip rules without which sources go astray
};

// `before`: the same policy as it was resolved last, if it is followed. Then the mark of a table
// that no ip rule leads to any more stays (a rule that is replaced by another is gone for a
// moment), and a source that is gone is one that its rule lacks: the rest of the policy is
// followed.
absl::StatusOr<Resolution> Resolve(const Policy &policy, const State &state, Advice advice,
                                   const Policy &before = {});

}  // namespace srcsel
