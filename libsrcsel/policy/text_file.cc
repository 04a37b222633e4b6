#include "policy/text_file.hh"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/fd.hh"

namespace srcsel {
namespace {

absl::Status TooLarge(std::size_t limit) {
  return absl::OutOfRangeError(
      absl::StrCat("is larger than ", limit >> 20, " MiB, the most that is read"));
}

absl::Status NotRead(int error) {
  return absl::Status(absl::ErrnoToStatusCode(error),
                      absl::StrCat("cannot be read: ", std::strerror(error)));
}

}  // namespace

absl::StatusOr<std::string> ReadRegularFile(const std::string &path, std::size_t limit) {
  // What opening alone would do to a device is not done.
  const Fd file(open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat about;
  if (!file || fstat(file.get(), &about) != 0) return NotRead(errno);
  if (!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode))
    return absl::InvalidArgumentError("is a device, a pipe or a socket: give a file");
  return ReadTextFile(absl::StrCat("/proc/self/fd/", file.get()), limit);
}

absl::StatusOr<std::string> ReadTextFile(const std::string &path, std::size_t limit) {
  const Fd file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat about;
  struct statfs fs;
  if (!file || fstat(file.get(), &about) != 0 || fstatfs(file.get(), &fs) != 0)
    return NotRead(errno);
  if (S_ISDIR(about.st_mode)) return absl::InvalidArgumentError("is a directory, not a file");
  if (S_ISFIFO(about.st_mode) && fs.f_type != PIPEFS_MAGIC)
    return absl::InvalidArgumentError(
        "is a named pipe, which may never be written to: give a file");
  // A terminal, or another device, that has nothing to say now may never have.
  if (!S_ISCHR(about.st_mode) && fcntl(file.get(), F_SETFL, 0) != 0) return NotRead(errno);
  if (S_ISREG(about.st_mode) && static_cast<std::size_t>(about.st_size) > limit)
    return TooLarge(limit);
  constexpr std::size_t kBlock = 1u << 16;
  std::string text;
  std::size_t size = 0;
  for (;;) {
    text.resize(std::max(size + kBlock, static_cast<std::size_t>(about.st_size) + 1));
    const ssize_t got = read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN)
      return absl::InvalidArgumentError("is a device that has nothing to say: give a file");
    if (got < 0) return NotRead(errno);
    size += static_cast<std::size_t>(got);
    if (size > limit) return TooLarge(limit);
    if (got == 0) break;
  }
  text.resize(size);
  return text;
}

}  // namespace srcsel
