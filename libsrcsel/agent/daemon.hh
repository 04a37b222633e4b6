// A process that stays behind the one that starts it: nobody's child but init's (fork twice,
// setsid), in no terminal, with no descriptor that the caller inherited, in the directory "/".

#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace srcsel {

// Runs `body` in it, under a name of at most 15 bytes; what it returns is the exit status. Comes
// back when the process exists. The caller must be single-threaded, and must leave to it whatever
// `body` goes on with.
absl::Status StartDaemon(const char *name, absl::FunctionRef<int()> body);

}  // namespace srcsel
