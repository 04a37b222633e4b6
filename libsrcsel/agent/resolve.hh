// A policy -> the policy as this host can apply it now: tables become marks, cgroups ids, sources
// are tried, and those that would leave by a wrong uplink get the mark that mends it (steer.hh).
//
// Contract: reads `state` and cgroup v2 and tries bind(2) in the calling thread's namespace, which
// is the state's; changes nothing. With an error among the findings the policy is not to be
// applied. What was found in ip rules is marked home_mark. Cost: that of check_source.hh and
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

absl::StatusOr<Resolution> Resolve(const Policy &policy, const State &state, Advice advice);

}  // namespace srcsel
