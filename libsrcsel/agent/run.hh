// Puts the calling process under a policy of its own: what `srcsel run` does between reading its
// arguments and exec().

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "policy/finding.hh"
#include "policy/policy.hh"

namespace srcsel {

// Enters the network namespace `netns` (if not empty), mirrors it, resolves the policy there
// (resolve.hh), attaches hooks to a new cgroup below the caller's, starts the custodian and joins
// the cgroup. After that every socket this process and its children make is under the policy, until
// the last of them has ended. Returns what there is to say about the policy.
//
// With `steer`, ip rules that the policy's sources want are added (own_rules.hh), and removed when
// the last run in the namespace that wants any has ended.
//
// If that has an error, or on a Status, nothing is attached and no cgroup is left; the namespace
// may have been entered. The process must be single-threaded.
absl::StatusOr<Findings> EnterPolicy(const Policy &policy, const std::string &netns,
                                     bool steer = false);

}  // namespace srcsel
