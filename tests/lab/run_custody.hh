// What stays behind a `srcsel run`, looked at from outside: its custodian and its BPF programs.
//
// Everything is found through the cgroup of the test: the custodian is the process of that name in
// it, the programs are those attached to the run's cgroup. Errors name what was looked for.
// Not thread-safe.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "hooks/counters.hh"
#include "lab/cgroup.hh"

namespace srcsel::lab {

// The process in the cgroup, not below, whose command is "srcsel-custody". It may be that the
// command runs before its custodian has taken that name: waits for it.
absl::StatusOr<pid_t> FindCustodian(const TestCgroup &cgroup, Deadline deadline = kPatience);

absl::StatusOr<Fd> OpenCgroup(const std::string &path);

// Ids of the programs attached to exactly this cgroup, for all of srcsel's hooks.
absl::StatusOr<std::set<std::uint32_t>> ProgramIds(const std::string &cgroup);

// Until none of the programs exists any more. The kernel frees them some time after their cgroup.
absl::Status WaitUntilUnloaded(const std::set<std::uint32_t> &ids, Deadline deadline = kPatience);

// Until the process has ended, whoever its parent is.
absl::Status WaitUntilEnded(pid_t pid, Deadline deadline = kPatience);

// Decisions of the run whose cgroup this is, by reason.
absl::StatusOr<Counters> CountersOf(const std::string &cgroup);

}  // namespace srcsel::lab
