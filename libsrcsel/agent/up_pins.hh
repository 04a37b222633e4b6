// The pins of an `up`, also from outside of the mount namespace that it was brought up in.

#pragma once

#include "absl/status/statusor.h"
#include "agent/up_paths.hh"
#include "hooks/pins.hh"

namespace srcsel {

// Where the paths say; or, for what lives, where its own process sees them: a bpffs that was
// mounted inside of `ip netns exec` is seen by nobody else. kNotFound if there are none.
absl::StatusOr<Pins> OpenPins(const UpPaths &paths);

}  // namespace srcsel
