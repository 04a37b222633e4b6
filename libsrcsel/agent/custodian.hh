// The small process that stays behind a `srcsel run`: it keeps the hooks' image true while the
// command runs, and removes the cgroup when the last process has left it.
//
// It is nobody's child but init's (fork twice, setsid), holds no descriptor of the caller's, and
// prints nothing. Killing it harms nobody: hooks and image stay as they are, and the next `srcsel`
// sweeps the empty cgroup up.

#pragma once

#include "absl/status/statusor.h"
#include "agent/hook_mirror.hh"
#include "agent/run_cgroup.hh"
#include "base/fd.hh"
#include "hooks/hooks.hh"
#include "policy/policy.hh"

namespace srcsel {

// What the custodian is given charge of.
struct Charge {
  Policy policy;
  HookMirror mirror;
  Hooks hooks;
  RunCgroup cgroup;
  Fd steering;  // of own_rules.hh; empty: it does not steer
};

// Starts it. The descriptor returned is how it learns what becomes of the caller: write one byte
// once the command's process is in the cgroup; if the descriptor closes without that, the run has
// failed and the custodian removes the cgroup. `charge` must not be used after this but for
// charge.cgroup.Join().
absl::StatusOr<Fd> StartCustodian(Charge &charge);

}  // namespace srcsel
