// The class of a process by net_cls, the controller of cgroup v1: what `meta cgroup` and `-m cgroup
// --cgroup` look at.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace srcsel {

// 0 where net_cls is not in use. Nothing if it cannot be found out: no mount shows the hierarchy.
std::optional<std::uint32_t> ClassidOf(pid_t pid);

}  // namespace srcsel
