// Standard output, and what becomes of it: a result that nobody got is no success.

#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace srcsel {

// Writes the text and all before it. Fails with "write standard output: No space left on device".
//
// Names in it may be those of others (processes, cgroups, interfaces, files): here, and in Say()
// for stderr, is where none gets to a terminal that would do something to it (base/printable.hh). A
// name that may have the end of a line in it (a process's, a file's) is Printable() where it is put
// in.
absl::Status WriteOut(absl::string_view text);

}  // namespace srcsel
