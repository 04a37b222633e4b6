// Where in the cgroup v2 hierarchy a policy's cgroup is.

#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "policy/policy.hh"

namespace srcsel {

// The id of the directory `cgroup.path` below `root`, as bpf_get_current_cgroup_id() says it;
// NotFound if there is none.
absl::StatusOr<std::uint64_t> CgroupId(const Fd &root, const Cgroup &cgroup);

}  // namespace srcsel
