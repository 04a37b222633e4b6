// Where processes are in the cgroup v2 hierarchy, by path: "/", "/system.slice/backup.service".

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/fd.hh"

namespace srcsel {

// Of the process, as /proc/PID/cgroup has it.
absl::StatusOr<std::string> CgroupOf(pid_t pid);

// The path's cgroup and those above it: the root comes first, and "/a/b" has three. Empty names,
// and a missing "/" before the first, do not matter.
std::vector<std::string> CgroupsAbove(const std::string &path);

// The innermost cgroup of a `srcsel run` that the path leads through; empty if none.
std::string RunCgroupIn(const std::string &path);

// Whether the path is the cgroup `top`, as OpenCgroup() takes it, or is below it. False too if
// either is not there.
bool IsInCgroup(const std::string &path, const std::string &top);

}  // namespace srcsel
