// A policy compiled into a file, for programs under a bare LD_PRELOAD (SRCSEL_IMAGE).

#pragma once

#include <string>

#include "absl/status/status.h"
#include "policy/policy.hh"
#include "state/state.hh"

namespace srcsel {

// Writes the policy, resolved for `state`, as an image without ip rules and routes: who decides by
// it asks the kernel for them, so it does not age as they change. What the policy takes from
// interfaces and rules ("dev eth1", lookup) is as it is now. The file is replaced whole.
absl::Status CompilePolicyTo(const std::string &file, const Policy &resolved, State state);

}  // namespace srcsel
