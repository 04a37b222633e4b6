#include "agent/cgroup_id.hh"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace srcsel {

// On 64-bit kernels a cgroup's id is its inode number.
absl::StatusOr<std::uint64_t> CgroupId(const Fd &root, const Cgroup &cgroup) {
  static_assert(sizeof(ino_t) == sizeof(std::uint64_t));
  struct stat about;
  if (fstatat(root.get(), absl::StrCat(".", cgroup.path).c_str(), &about, 0) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("find cgroup ", cgroup.path));
  if (!S_ISDIR(about.st_mode))
    return absl::NotFoundError(absl::StrCat("find cgroup ", cgroup.path, ": is a file in one"));
  return about.st_ino;
}

}  // namespace srcsel
