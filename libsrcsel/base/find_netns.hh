// Finds a network namespace again, also one that has lost its name.

#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/fd.hh"

namespace srcsel {

struct FoundNetns {
  Fd netns;
  std::string name;  // as OpenNetns() takes it; empty: the calling thread's, and has no other
};

// The one with that cookie (NetnsCookie()): `name`, if it still is; else the calling thread's, one
// that `ip netns` knows, or one that a process is in. kNotFound: none of them, so it is gone, or
// held by who cannot be seen. Cost: a thread for each namespace looked at; needs CAP_SYS_ADMIN.
absl::StatusOr<FoundNetns> FindNetns(std::uint64_t cookie, const std::string &name);

}  // namespace srcsel
