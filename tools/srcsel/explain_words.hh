// The words of `srcsel explain`: those of `ip route get` (route_words.hh), and besides
//
//   cgroup P    of the caller, from the root of the hierarchy; left out: that of this process
//   classid C   of the caller, by net_cls; left out: that of this process
//   comm C      of the caller; left out: none that a policy knows
//
// The protocol is TCP if none is said: it is a connect() that is explained. Errors as there.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/policy_in_force.hh"
#include <srcsel/flow.hh>

namespace srcsel {

struct ExplainWords {
  Flow flow;
  Caller caller;
};

absl::StatusOr<ExplainWords> ExplainWordsOf(const std::vector<std::string> &words);

}  // namespace srcsel
