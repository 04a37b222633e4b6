// Where an `up` keeps what outlives its process.
//
//   run/lock      held by the process that follows the kernel
//   run/control   its socket
//   run/state     what is up, since when (up_state.hh); readable by all
//   run/image     the image in force, for who decides without hooks; readable by all
//   bpf/          links, programs and maps (hooks/pins.hh); root's alone

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/fd.hh"

namespace srcsel {

struct UpPaths {
  std::string run = "/run/srcsel";
  std::string bpf = "/sys/fs/bpf/srcsel";

  // SRCSEL_RUN_DIR and SRCSEL_BPF_DIR take their place where root asks, so that several do not
  // meet; a program with raised privileges does not listen to its caller.
  static UpPaths Get();
};

// Opens the directory `run`, made if it is missing; what others could write to is refused.
absl::StatusOr<Fd> MakeRunDirectory(const UpPaths &paths);
// The same of what is there; kNotFound if there is none.
absl::StatusOr<Fd> OpenRunDirectory(const UpPaths &paths);

// The lock, until the descriptor and all its duplicates are closed. kAlreadyExists: somebody has
// it.
absl::StatusOr<Fd> TakeLock(const Fd &run);

}  // namespace srcsel
