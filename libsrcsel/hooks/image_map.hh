// An image as a map of pages that only the kernel and its programs will read.

#pragma once

#include <cstddef>
#include <span>

#include "absl/status/statusor.h"
#include "base/fd.hh"

namespace srcsel {

// Makes an array map that holds `image`, a whole number of pages. The pages are written through
// mmap: one copy, no system call a page.
absl::StatusOr<Fd> MakeImageMap(std::span<const std::byte> image);

}  // namespace srcsel
