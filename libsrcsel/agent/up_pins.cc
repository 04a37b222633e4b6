#include "agent/up_pins.hh"

#include "absl/strings/str_cat.h"
#include "agent/up_state.hh"

namespace srcsel {

absl::StatusOr<Pins> OpenPins(const UpPaths &paths) {
  absl::StatusOr<Pins> pins = Pins::Open(paths.bpf);
  if (!absl::IsNotFound(pins.status())) return pins;
  const absl::StatusOr<Fd> run = OpenRunDirectory(paths);
  const absl::StatusOr<UpState> state = run.ok() ? ReadUpState(*run) : run.status();
  if (!state.ok() || !IsFollowing(*state)) return pins;
  return Pins::Open(absl::StrCat("/proc/", state->pid, "/root", paths.bpf));
}

}  // namespace srcsel
