#include "hooks/pins.hh"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>

#include <bpf/bpf.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/directory.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

constexpr const char *kKinds[] = {"links", "programs", "maps"};

Fd OpenDirectory(const std::string &path) {
  return Fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

absl::Status MountBpffs(const std::string &above) {
  if (IsBpffs(above)) return absl::OkStatus();
  if (mount("bpf", above.c_str(), "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("mount a bpffs on ", above));
  return absl::OkStatus();
}

absl::Status MakeDirectory(const std::string &path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return absl::ErrnoToStatus(errno, absl::StrCat("make ", path));
  return absl::OkStatus();
}

// What others could write to would be as good as theirs.
absl::Status CheckOwner(const std::string &path) {
  const Fd directory = OpenDirectory(path);
  struct stat about;
  if (!directory || fstat(directory.get(), &about) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
  if (about.st_uid == geteuid() && (about.st_mode & 077) == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat(path, " is not root's alone: chown root ", path, " && chmod 700 ", path));
}

// Links, those that decide before those that remember what the application does.
std::vector<std::string> InOrderOfRemoval(std::vector<std::string> names) {
  std::stable_partition(names.begin(), names.end(), [](absl::string_view name) {
    return !absl::StartsWith(name, "bind") && !absl::StartsWith(name, "setsockopt");
  });
  return names;
}

absl::Status RemoveDirectory(const std::string &path) {
  if (rmdir(path.c_str()) != 0 && errno != ENOENT)
    return absl::ErrnoToStatus(errno, absl::StrCat("remove ", path));
  return absl::OkStatus();
}

}  // namespace

bool IsBpffs(const std::string &path) {
  struct statfs fs;
  return statfs(path.c_str(), &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

absl::StatusOr<Pins> Pins::Make(const std::string &path) {
  SRCSEL_RETURN_IF_ERROR(MountBpffs(path.substr(0, path.rfind('/'))));
  SRCSEL_RETURN_IF_ERROR(MakeDirectory(path));
  SRCSEL_RETURN_IF_ERROR(CheckOwner(path));
  for (const char *kind : kKinds)
    SRCSEL_RETURN_IF_ERROR(MakeDirectory(absl::StrCat(path, "/", kind)));
  return Pins(path);
}

absl::StatusOr<Pins> Pins::Open(const std::string &path) {
  if (!OpenDirectory(path) || !IsBpffs(path))
    return absl::NotFoundError(absl::StrCat("no hooks are pinned in ", path));
  SRCSEL_RETURN_IF_ERROR(CheckOwner(path));
  return Pins(path);
}

absl::StatusOr<Pins> Pins::OpenBelow(const Fd &root, const std::string &path) {
  const std::size_t last = path.rfind('/');
  open_how how{.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
               .mode = 0,
               .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  // glibc 2.36 has no wrapper.
  Fd above(static_cast<int>(
      syscall(SYS_openat2, root.get(), path.substr(0, last).c_str(), &how, sizeof(how))));
  if (!above) return absl::ErrnoToStatus(errno, absl::StrCat("open the directory above ", path));
  const std::string here = absl::StrCat("/proc/self/fd/", above.get());
  if (!IsBpffs(here)) return absl::NotFoundError(absl::StrCat("no bpffs is above ", path));
  SRCSEL_ASSIGN_OR_RETURN(Pins pins, Open(here + path.substr(last)));
  pins.above_ = std::move(above);
  return pins;
}

Fd Pins::Get(absl::string_view kind, absl::string_view name) const {
  return Fd(bpf_obj_get(absl::StrCat(path_, "/", kind, "/", name).c_str()));
}

// A bpffs takes no names with a dot.
absl::Status Pins::Put(absl::string_view kind, absl::string_view name, int object) const {
  const std::string path = absl::StrCat(path_, "/", kind, "/", name);
  const std::string fresh = absl::StrCat(path, "-new");
  unlink(fresh.c_str());
  if (bpf_obj_pin(object, fresh.c_str()) == 0 && rename(fresh.c_str(), path.c_str()) == 0)
    return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("pin ", path));
}

absl::Status Pins::PinLink(absl::string_view name, const Fd &link) const {
  return Put("links", name, link.get());
}
absl::Status Pins::PinMap(absl::string_view name, int map) const {
  return Put("maps", name, map);
}
absl::Status Pins::PinProgram(absl::string_view name, int program) const {
  return Put("programs", name, program);
}

absl::StatusOr<KeptLink> DescribeLink(const Fd &link) {
  bpf_link_info info{};
  __u32 size = sizeof(info);
  if (bpf_obj_get_info_by_fd(link.get(), &info, &size) != 0)
    return absl::ErrnoToStatus(errno, "describe a link");
  if (info.type != BPF_LINK_TYPE_CGROUP)
    return absl::FailedPreconditionError("describe a link: it is not one to a cgroup");
  return KeptLink{.id = info.id, .program = info.prog_id, .cgroup = info.cgroup.cgroup_id};
}

absl::StatusOr<KeptLink> DescribeLink(std::uint32_t id) {
  const Fd link(bpf_link_get_fd_by_id(id));
  if (!link) return absl::ErrnoToStatus(errno, absl::StrCat("open link ", id));
  return DescribeLink(link);
}

absl::StatusOr<std::vector<KeptLink>> Pins::Links() const {
  std::vector<KeptLink> links;
  for (const std::string &name : NamesIn(OpenDirectory(absl::StrCat(path_, "/links")))) {
    const Fd fd = Link(name);
    if (!fd) return absl::ErrnoToStatus(errno, absl::StrCat("open ", path_, "/links/", name));
    SRCSEL_ASSIGN_OR_RETURN(KeptLink link, DescribeLink(fd));
    link.name = name;
    links.push_back(std::move(link));
  }
  return links;
}

// The kernel would detach what was unpinned some time later.
absl::Status Pins::Drop(absl::string_view kind, absl::string_view name) const {
  const std::string path = absl::StrCat(path_, "/", kind, "/", name);
  if (const Fd link = kind == kKinds[0] ? Link(name) : Fd()) bpf_link_detach(link.get());
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return absl::ErrnoToStatus(errno, absl::StrCat("remove ", path));
  return absl::OkStatus();
}

absl::Status Pins::RemoveHook(absl::string_view name) const {
  SRCSEL_RETURN_IF_ERROR(Drop("links", name));
  return Drop("programs", name);
}

absl::Status Pins::Remove() const {
  for (const char *kind : kKinds) {
    const std::string path = absl::StrCat(path_, "/", kind);
    for (const std::string &name : InOrderOfRemoval(NamesIn(OpenDirectory(path))))
      SRCSEL_RETURN_IF_ERROR(Drop(kind, name));
    SRCSEL_RETURN_IF_ERROR(RemoveDirectory(path));
  }
  return RemoveDirectory(path_);
}

}  // namespace srcsel
