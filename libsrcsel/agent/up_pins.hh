// The pins of an `up`, also from outside of the mount namespace that it was brought up in: a bpffs
// that was mounted inside of `ip netns exec` is seen by nobody else, and inside of it that of the
// host is not seen.

#pragma once

#include "absl/status/statusor.h"
#include "agent/up_paths.hh"
#include "hooks/pins.hh"

namespace srcsel {

// Where the paths say; or where the process that follows the kernel sees them there, or any other
// process: these are told by the ids of their links. kNotFound if there are none;
// kFailedPrecondition if hooks are attached, and nobody sees where they are pinned.
absl::StatusOr<Pins> OpenPins(const UpPaths &paths);

// Detaches the hooks and removes what is pinned, if anything is; with an error, hooks may stay.
absl::Status RemovePins(const UpPaths &paths);

}  // namespace srcsel
