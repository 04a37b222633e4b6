// Puts the calling process under a policy by the preload: what `srcsel run --via preload` does
// between reading its arguments and exec(). Needs no privilege.

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "policy/finding.hh"
#include "policy/policy.hh"

namespace srcsel {

struct PreloadRun {
  std::string netns;    // to enter; empty: stay
  std::string program;  // that is going to run; empty: not known
  bool reply_source = false;
};

// Enters the namespace, mirrors it, resolves the policy there, writes the image into a directory of
// the run's own (run_directory.hh), starts the process that keeps it true, and sets LD_PRELOAD and
// SRCSEL_IMAGE in this process's environment. Returns what there is to say about the policy; if
// that has an error, or on a Status, nothing is left, but the namespace may have been entered. The
// process must be single-threaded.
absl::StatusOr<Findings> EnterPreload(const Policy &policy, const PreloadRun &run);

// Takes out of the environment what an enclosing run under the preload has put there.
void LeavePreload();

}  // namespace srcsel
