// Policy rules -> rules of the image: what they do. Their selectors go to compile_classes.hh, the
// members of their pools to compile_pools.hh.

#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "image/policy_rows.hh"
#include "policy/policy.hh"
#include "state/state.hh"
#include <srcsel/abi.h>

namespace srcsel {

// The address an interface would lend as a source: its first primary global one; for IPv6 one that
// is neither tentative nor deprecated nor temporary, if there is such a one.
std::optional<IpAddress> AddressOf(const State &state, const DeviceSource &device, int family);

struct CompiledPolicy {
  std::vector<srcsel_policy> rules;  // one a row
  std::vector<srcsel_slot> slots;
  std::vector<srcsel_own_mark> own_marks;
};

// A device without an address of a family has no source for it, nor has an address that the rule
// lacks: they may come back.
// Fails if a rule contradicts itself (policy.hh says what is allowed), or looks up a table for
// which no mark was found.
absl::StatusOr<CompiledPolicy> CompilePolicy(const PolicyRows &policy, const State &state);

}  // namespace srcsel
