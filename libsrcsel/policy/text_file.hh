// A file's whole text, no more than so much of it.
//
// Contract: what is read is at most `limit` bytes and one block, whatever the file claims to be; a
// pipe of a shell is waited for, a terminal is not; a pipe with a name and a directory are refused.
// ReadRegularFile() takes nothing but a file. Errors say what is
// wrong and, of a file too large, what is taken; they do not name the path.

#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace srcsel {

absl::StatusOr<std::string> ReadTextFile(const std::string &path, std::size_t limit);
absl::StatusOr<std::string> ReadRegularFile(const std::string &path, std::size_t limit);

}  // namespace srcsel
