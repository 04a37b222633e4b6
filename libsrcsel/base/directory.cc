#include "base/directory.hh"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace srcsel {
namespace {

bool WriteAll(const Fd &file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::vector<std::string> NamesIn(const Fd &directory) {
  struct Close {
    void operator()(DIR *stream) const { closedir(stream); }
  };
  // A descriptor of its own: the position in a directory is shared by duplicates.
  const int copy = openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, Close> stream(copy < 0 ? nullptr : fdopendir(copy));
  std::vector<std::string> names;
  while (const dirent *entry = stream ? readdir(stream.get()) : nullptr) {
    const absl::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

bool IsNamed(int at, const std::string &name, const Fd &file) {
  struct stat named, held;
  return fstatat(at, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         fstat(file.get(), &held) == 0 && named.st_dev == held.st_dev &&
         named.st_ino == held.st_ino;
}

absl::Status ReplaceFile(const Fd &directory, const std::string &name,
                         std::span<const std::byte> bytes, mode_t mode) {
  const std::string fresh = absl::StrCat(name, ".new");
  const Fd file(openat(directory.get(), fresh.c_str(),
                       O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode));
  // The mode is not the umask's to change.
  if (file && fchmod(file.get(), mode) == 0 && WriteAll(file, bytes) &&
      renameat(directory.get(), fresh.c_str(), directory.get(), name.c_str()) == 0)
    return absl::OkStatus();
  const int error = errno;
  unlinkat(directory.get(), fresh.c_str(), 0);
  return absl::ErrnoToStatus(error, absl::StrCat("write ", name));
}

}  // namespace srcsel
