// The files that a policy's `include` names: one, or all whose name fits a pattern.
//
// Contract: the wildcards of glob(7) stand in the last name alone; they pass over names that begin
// with a dot. A pattern may find nothing, also no folder. Sorted by name, byte by byte. An error
// says what is wrong with the pattern, or with its folder.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace srcsel {

absl::StatusOr<std::vector<std::string>> FilesNamed(const std::string &pattern);

}  // namespace srcsel
