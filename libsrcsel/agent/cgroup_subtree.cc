#include "agent/cgroup_subtree.hh"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/cgroup_root.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

// FILEID_KERNFS of the kernel's exportfs.h: the handle is the id, since 5.5.
constexpr int kById = 0xfe;

Fd PointToId(const Fd &mount, std::uint64_t id) {
  alignas(file_handle) unsigned char bytes[sizeof(file_handle) + sizeof(id)];
  auto *handle = reinterpret_cast<file_handle *>(bytes);
  handle->handle_bytes = sizeof(id);
  handle->handle_type = kById;
  std::memcpy(handle->f_handle, &id, sizeof(id));
  return Fd(open_by_handle_at(mount.get(), handle, O_PATH | O_CLOEXEC));
}

}  // namespace

absl::StatusOr<CgroupSubtree> CgroupSubtree::Open(const std::string &path) {
  SRCSEL_ASSIGN_OR_RETURN(Fd top, OpenCgroup(path));
  const std::optional<Directory> which = Ask(top);
  if (!which || !PointToId(top, which->id))
    return absl::ErrnoToStatus(errno, absl::StrCat("find cgroup ", path, " by its id"));
  return CgroupSubtree(std::move(top), *which);
}

bool CgroupSubtree::Contains(std::uint64_t id) {
  const auto [found, is_new] = known_.try_emplace(id);
  if (is_new) found->second = IsBelow(id);
  return found->second;
}

std::optional<CgroupSubtree::Directory> CgroupSubtree::Ask(const Fd &cgroup) {
  struct stat about;
  if (!cgroup || fstat(cgroup.get(), &about) != 0) return std::nullopt;
  return Directory{about.st_dev, about.st_ino};
}

// What is above the root of the hierarchy's mount is another file system's.
bool CgroupSubtree::IsBelow(std::uint64_t id) const {
  Fd at = PointToId(top_, id);
  std::optional<Directory> here = Ask(at), below;
  while (here && here != below && here->device == which_.device) {
    if (here == which_) return true;
    at = Fd(openat(at.get(), "..", O_PATH | O_CLOEXEC));
    below = std::exchange(here, Ask(at));
  }
  return false;
}

}  // namespace srcsel
