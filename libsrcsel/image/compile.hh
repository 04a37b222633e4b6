// State and policy -> image. The one way an image comes into being.
//
// Pure: the same state, policy and generation give the same decisions. Cost: linear in routes and
// rules apart from one sort a table; the engine pays nothing for what is worked out here.

#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "image/compile_tables.hh"
#include "image/image.hh"
#include "policy/policy.hh"
#include "state/state.hh"

namespace srcsel {

// For hooks. Fails if something exceeds the limits of <srcsel/abi.h> or a policy rule contradicts
// itself.
absl::StatusOr<Image> Compile(const State &state, const Policy &policy, std::uint64_t generation);

// For lookups in user space, which hooks cannot do: flows bound to a device have tables of their
// own, and routes lead to all their paths.
struct LookupImage {
  Image image;
  RouteDetails details;
};

absl::StatusOr<LookupImage> CompileForLookup(const State &state, const Policy &policy,
                                             std::uint64_t generation);

}  // namespace srcsel
