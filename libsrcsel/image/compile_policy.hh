// Policy rules -> rules of the image: what they do. Their selectors go to compile_classes.hh.

#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "policy/policy.hh"
#include "state/state.hh"
#include <srcsel/abi.h>

namespace srcsel {

// The address an interface would lend as a source: its first primary global one; for IPv6 one that
// is neither tentative nor deprecated nor temporary, if there is such a one.
std::optional<IpAddress> AddressOf(const State &state, const DeviceSource &device, int family);

// A device without an address of a family leaves that family to the kernel: it may come back.
// Fails if a rule contradicts itself (policy.hh says what is allowed) or there are more than
// SRCSEL_MAX_POLICY rules.
absl::StatusOr<std::vector<srcsel_policy>> CompilePolicy(const Policy &policy, const State &state);

}  // namespace srcsel
