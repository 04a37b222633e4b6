// Whether a policy's source can be used in this network namespace, before anything relies on it.

#pragma once

#include <vector>

#include "absl/status/status.h"
#include "policy/policy.hh"
#include "state/state.hh"

namespace srcsel {

// An address is tried by bind(2) in the calling thread's namespace, so an AnyIP `local` prefix is
// as good as an address of an interface; what bind(2) takes and no packet can leave with (loopback,
// broadcast) is refused all the same. A device must exist, be up and have an address to lend of one
// of the families. The error names the source, what is wrong with it and what there is instead.
absl::Status CheckSource(const Source &source, const std::vector<int> &families,
                         const State &state);

}  // namespace srcsel
