// Standard output, and what becomes of it: a result that nobody got is no success.

#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace srcsel {

// Writes the text and all before it. Fails with "write standard output: No space left on device".
absl::Status WriteOut(absl::string_view text);

}  // namespace srcsel
