#include "agent/publish_image.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/directory.hh"
#include "base/status.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

Fd OpenImage(const Fd &directory, const std::string &name) {
  return Fd(openat(directory.get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
}

void Supersede(const Fd &image) {
  const std::uint32_t yes = 1;
  srcsel_header header;
  // What else may have that name is not touched.
  if (!image || pread(image.get(), &header, sizeof(header), 0) != sizeof(header) ||
      header.magic != SRCSEL_ABI_MAGIC || header.version != SRCSEL_ABI_VERSION)
    return;
  // Who does not hear of it looks at the name soon.
  [[maybe_unused]] const ssize_t written =
      pwrite(image.get(), &yes, sizeof(yes), offsetof(srcsel_header, superseded));
}

}  // namespace

absl::Status PublishImage(const Fd &directory, const std::string &name,
                          std::span<const std::byte> image, mode_t mode) {
  const Fd before = OpenImage(directory, name);
  SRCSEL_RETURN_IF_ERROR(ReplaceFile(directory, name, image, mode));
  Supersede(before);
  return absl::OkStatus();
}

absl::Status WithdrawImage(const Fd &directory, const std::string &name) {
  const Fd before = OpenImage(directory, name);
  if (unlinkat(directory.get(), name.c_str(), 0) != 0 && errno != ENOENT)
    return absl::ErrnoToStatus(errno, absl::StrCat("remove the image ", name));
  Supersede(before);
  return absl::OkStatus();
}

}  // namespace srcsel
