// What must be there before the demo can begin.

#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace srcsel::demo {

// Root, and every program that a lab runs. The error is one line that names what is missing.
absl::Status CheckNeeds();

// The srcsel in the directory of the running program.
absl::StatusOr<std::string> FindSrcsel();

}  // namespace srcsel::demo
