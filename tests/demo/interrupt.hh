// Ending early without leaving anything behind: a signal that would kill is noted, the stack
// unwinds, and then the process dies of it after all.
//
// The programs of the demo are in the terminal's foreground group too: Ctrl-C ends them, and with
// them every wait for them. A signal sent to this process alone takes effect after the command that
// runs, two seconds at most.

#pragma once

#include "absl/status/status.h"

namespace srcsel::demo {

// From here on, but for signals that are ignored already. Programs started do not inherit it.
void CatchInterrupts();

// CancelledError once a signal has come.
absl::Status NotInterrupted();

// Dies of the signal that came, if one has.
void DieIfInterrupted();

}  // namespace srcsel::demo
