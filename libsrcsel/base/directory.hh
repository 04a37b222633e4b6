// A directory that is open, and what is done in it by name.

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/fd.hh"

namespace srcsel {

// Whether that file still has the name; `at` is a directory's descriptor, or AT_FDCWD.
bool IsNamed(int at, const std::string &name, const Fd &file);

// Names of all that is in it but "." and ".."; none if it cannot be read.
std::vector<std::string> NamesIn(const Fd &directory);

// Writes a file whole: who opens the name finds what was there before, or `bytes`, never a part;
// who has it open or mapped keeps what he has.
absl::Status ReplaceFile(const Fd &directory, const std::string &name,
                         std::span<const std::byte> bytes, mode_t mode);

}  // namespace srcsel
