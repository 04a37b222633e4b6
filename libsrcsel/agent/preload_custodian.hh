// The small process that stays behind a `srcsel run --via preload`: it keeps the image true while
// the command and what it has started run, and then removes it.
//
// It is a daemon (daemon.hh). Killing it harms nobody: the image stays as it is, and the next run
// removes it.

#pragma once

#include <sys/types.h>

#include "absl/status/status.h"
#include "agent/hook_mirror.hh"
#include "agent/run_directory.hh"
#include "policy/policy.hh"

namespace srcsel {

// What the custodian is given charge of.
struct PreloadCharge {
  Policy policy;
  HookMirror mirror;
  RunDirectory directory;
};

// Starts it; the caller, which is about to become the command, is the run's first process. `charge`
// must not be used after this.
absl::Status StartPreloadCustodian(PreloadCharge &charge);

}  // namespace srcsel
