// An image as a file, for those who decide without hooks (preload/image.h).

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "base/fd.hh"

namespace srcsel {

// Puts an image into a directory under this name, and tells those who have the one before mapped.
absl::Status PublishImage(const Fd &directory, const std::string &name,
                          std::span<const std::byte> image, mode_t mode);

// Takes it away, if it is there, and tells.
absl::Status WithdrawImage(const Fd &directory, const std::string &name);

}  // namespace srcsel
