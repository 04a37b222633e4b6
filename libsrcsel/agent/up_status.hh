// What is up, put together from what its process wrote down and what the kernel has.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/open_sockets.hh"
#include "agent/up_paths.hh"
#include "agent/up_state.hh"
#include "hooks/kept_counts.hh"
#include "hooks/pins.hh"

namespace srcsel {

struct UpTrouble {
  std::string what = {};    // empty: nothing is known of any
  std::string remedy = {};  // the command that mends it; may be empty

  std::string ToString() const;
};

struct UpStatus {
  UpState state;
  bool following = false;       // the process that follows the kernel lives
  bool stopped = false;         // it does nothing (SIGSTOP)
  std::vector<KeptLink> hooks;  // as the kernel has them
  std::uint32_t abi = 0;        // of the image that hooks have; 0: they have none
  std::uint64_t generation = 0;
  bool cgroup_is_back = false;  // one of that name is there, whatever became of the hooks'
  // Nothing where the image is of another version.
  std::optional<KeptCounts> counts;

  // Why hooks do not act, or not all.
  UpTrouble HookTrouble() const;
  // The same, and why what they decide by may not be right.
  UpTrouble Trouble() const;
};

// kNotFound: nothing is up. Needs root.
absl::StatusOr<UpStatus> ReadUpStatus(const UpPaths &paths);

// Sockets that were there before the hooks and have been left alone since; not those that listen.
// Cost: that of open_sockets.hh.
absl::StatusOr<std::vector<OpenSocket>> OldSockets(const UpPaths &paths, const UpState &state);

}  // namespace srcsel
