// The end of a trial (`up --try`) whose process has been killed: who tries something on a host that
// is reached by the very routes in question must not depend on one process alone.
//
// Contract: a second process waits for the end of the trial. It changes nothing as long as the
// first one lives, and goes when that is confirmed, taken down, or taken over by another `up`.

#pragma once

#include "absl/status/status.h"
#include "agent/up_paths.hh"
#include "agent/up_state.hh"

namespace srcsel {

// Starts it, in the namespaces of the caller; `trial` has been written down.
absl::Status StartTrialGuard(const UpPaths &paths, const UpState &trial);

}  // namespace srcsel
