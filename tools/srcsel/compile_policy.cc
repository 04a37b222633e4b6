#include "compile_policy.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "agent/publish_image.hh"
#include "base/fd.hh"
#include "base/status.hh"
#include "image/compile.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

// What is there is replaced: it may only be what this wrote before.
absl::Status CheckReplaceable(const Fd &directory, const std::string &name) {
  struct stat about;
  if (fstatat(directory.get(), name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? absl::OkStatus() : absl::ErrnoToStatus(errno, "look at it");
  std::uint32_t magic = 0;
  if (S_ISREG(about.st_mode)) {
    const Fd file(openat(directory.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (file && pread(file.get(), &magic, sizeof(magic), 0) == sizeof(magic) &&
        magic == SRCSEL_ABI_MAGIC)
      return absl::OkStatus();
    if (file && about.st_size == 0) return absl::OkStatus();
  }
  return absl::AlreadyExistsError(
      "is there and is no compiled policy: say another file, or remove it");
}

}  // namespace

absl::Status CompilePolicyTo(const std::string &file, const Policy &resolved, State state) {
  state.rules.clear();
  state.routes = Routes();
  state.nexthops.clear();
  state.neighbours.clear();
  SRCSEL_ASSIGN_OR_RETURN(const Image image, Compile(state, resolved, 1));
  const std::size_t slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  const Fd directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return absl::ErrnoToStatus(errno, absl::StrCat("open ", folder));
  if (const absl::Status status = CheckReplaceable(directory, file.substr(slash + 1)); !status.ok())
    return absl::Status(status.code(), absl::StrCat(file, " ", status.message()));
  return PublishImage(directory, file.substr(slash + 1), image.bytes(), 0644);
}

}  // namespace srcsel
