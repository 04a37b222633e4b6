// What is up, as its process last wrote it down: one JSON object in a file that is replaced whole.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/up_paths.hh"
#include "base/fd.hh"

namespace srcsel {

struct UpState {
  pid_t pid = 0;                   // of the process that follows the kernel; 0: nothing is known
  std::uint64_t started = 0;       // when it did, in ticks since boot: tells it from a later one
  std::string version;             // of srcsel
  std::uint32_t abi = 0;           // of the image
  std::string cgroup;              // "/", "/system.slice"
  std::string policy;              // the file
  std::vector<std::string> rules;  // their names, by number
  // Of each rule, the sources that it or its pool names: "10.1.0.1", "dev eth1".
  std::vector<std::vector<std::string>> sources;
  std::vector<std::string> limits;   // what is not known of the firewall's marks
  std::vector<std::string> lacks;    // rules whose source this host does not have now, and why
  std::vector<std::string> missing;  // Hooks::Missing()
  absl::Time since = absl::InfinitePast();         // the hooks are attached
  absl::Time policy_since = absl::InfinitePast();  // the policy is in force
  absl::Time until = absl::InfiniteFuture();       // taken down then, unless confirmed
  std::uint32_t trial = 0;                         // of so many seconds; 0: none, or confirmed
  std::vector<std::uint32_t> links;                // ids of those that attach the hooks
  bool steered = false;                            // has ip rules of its own
  std::uint64_t netns = 0;                         // cookie of the namespace they are in
  std::string netns_name;         // a name or path; empty: has none, that of who said up
  std::uint64_t generation = 0;   // of the image in force
  std::string stale;              // why the image may not be what the kernel has; empty: it is
  std::uint32_t old_sockets = 0;  // noted when the hooks were attached
  std::uint32_t unseen = 0;       // processes whose sockets could not be looked at then

  friend bool operator==(const UpState &, const UpState &) = default;
};

std::string ToJson(const UpState &state);
absl::StatusOr<UpState> UpStateOf(const std::string &json);

absl::Status WriteUpState(const Fd &run, const UpState &state);
// kNotFound if nothing is up.
absl::StatusOr<UpState> ReadUpState(const Fd &run);
absl::StatusOr<UpState> ReadUpState(const UpPaths &paths);

// Whether the process that wrote it lives.
bool IsFollowing(const UpState &state);

// Whether a process lives but does nothing, for it was stopped (SIGSTOP); not by a debugger,
// which SIGCONT does not mend.
bool IsStopped(pid_t pid);

// UpState::started of this process.
absl::StatusOr<std::uint64_t> OwnStart();

}  // namespace srcsel
