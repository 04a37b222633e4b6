#include "base/cgroup_root.hh"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.hh"

namespace srcsel {
namespace {

std::string ReadAll(const char *path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// `path` below `top`, as a relative path; both absolute.
std::string Below(absl::string_view path, absl::string_view top) {
  if (top != "/") path.remove_prefix(top.size());
  while (absl::ConsumePrefix(&path, "/")) {
  }
  return path.empty() ? "." : std::string(path);
}

// A field of mountinfo(5) without the escapes \040, \011, \012 and \134.
std::string Unescape(absl::string_view field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    int code = 0;
    if (field[i] == '\\' && i + 3 < field.size() &&
        std::from_chars(field.data() + i + 1, field.data() + i + 4, code, 8).ptr ==
            field.data() + i + 4) {
      text += static_cast<char>(code);
      i += 3;
    } else {
      text += field[i];
    }
  }
  return text;
}

bool Lists(absl::string_view list, absl::string_view word) {
  const std::vector<absl::string_view> words = absl::StrSplit(list, ',');
  return std::ranges::find(words, word) != words.end();
}

// Of the end of a line of mountinfo(5): "cgroup2 none rw", "cgroup none rw,net_cls,net_prio".
bool IsHierarchy(absl::string_view type_and_options, absl::string_view controller) {
  if (controller.empty()) return absl::StartsWith(type_and_options, "cgroup2 ");
  return absl::StartsWith(type_and_options, "cgroup ") &&
         Lists(type_and_options.substr(type_and_options.rfind(' ') + 1), controller);
}

bool Shows(absl::string_view root, absl::string_view own) {
  return root == "/" || own == root || absl::StartsWith(own, absl::StrCat(root, "/"));
}

absl::StatusOr<Fd> MountPrivately() {
  const Fd context(fsopen("cgroup2", FSOPEN_CLOEXEC));
  if (!context || fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    return absl::ErrnoToStatus(
        errno,
        "find cgroup v2: no mount shows it (mount -t cgroup2 none /sys/fs/cgroup would), and "
        "mounting it for this process, which takes CAP_SYS_ADMIN, failed");
  Fd root(fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  if (!root) return absl::ErrnoToStatus(errno, "mount cgroup v2 for this process");
  return root;
}

Fd OpenCgroupDirectory(int at, const std::string &path, int how) {
  Fd directory(openat(at, path.c_str(), how | O_DIRECTORY | O_CLOEXEC));
  struct statfs fs;
  if (directory && fstatfs(directory.get(), &fs) == 0 && fs.f_type != CGROUP2_SUPER_MAGIC)
    errno = ENOTDIR;
  else if (directory)
    return directory;
  return Fd();
}

// Where v2 is, and what would make it. Beside hierarchies of v1 it is not where most think.
absl::Status NoCgroup(int error, const std::string &path) {
  absl::Status status = absl::ErrnoToStatus(error, absl::StrCat("open cgroup ", path));
  const absl::StatusOr<std::string> own = FindOwnCgroup(ReadAll("/proc/self/cgroup"));
  if ((error != ENOENT && error != ENOTDIR) || !own.ok()) return status;
  const absl::StatusOr<CgroupMount> mount = FindCgroupMount(ReadAll("/proc/self/mountinfo"), *own);
  if (!mount.ok()) return status;
  const std::string directory = CgroupDirectory(path, mount->point);
  return absl::Status(status.code(), absl::StrCat(status.message(), "; cgroup v2 is mounted on ",
                                                  mount->point, ": mkdir -p ", directory, " makes ",
                                                  directory.substr(mount->point.size())));
}

absl::StatusOr<Fd> FindCgroup(const std::string &path, int how) {
  SRCSEL_ASSIGN_OR_RETURN(const CgroupRoot root, FindCgroupRoot());
  Fd cgroup = OpenCgroupDirectory(root.root.get(), absl::StrCat("./", path), how);
  if (!cgroup) cgroup = OpenCgroupDirectory(AT_FDCWD, path, how);
  if (!cgroup) return NoCgroup(errno, path);
  return cgroup;
}

}  // namespace

absl::StatusOr<std::string> FindOwnCgroup(absl::string_view table) {
  for (absl::string_view line : absl::StrSplit(table, '\n'))
    if (absl::ConsumePrefix(&line, "0::")) return std::string(line);
  return absl::NotFoundError(
      "find cgroup v2: /proc/self/cgroup has no line '0::': it has not been mounted since the "
      "system was booted, or the kernel was built without it");
}

std::optional<std::string> FindOldCgroup(absl::string_view table, absl::string_view controller) {
  for (absl::string_view line : absl::StrSplit(table, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() == 3 && Lists(fields[1], controller)) return std::string(fields[2]);
  }
  return std::nullopt;
}

absl::StatusOr<CgroupMount> FindCgroupMount(absl::string_view mountinfo, absl::string_view own,
                                            absl::string_view controller) {
  for (absl::string_view line : absl::StrSplit(mountinfo, '\n')) {
    const std::vector<absl::string_view> halves = absl::StrSplit(line, absl::MaxSplits(" - ", 1));
    if (halves.size() != 2 || !IsHierarchy(halves[1], controller)) continue;
    const std::vector<absl::string_view> fields = absl::StrSplit(halves[0], ' ');
    if (fields.size() < 5) continue;
    CgroupMount mount{Unescape(fields[4]), Unescape(fields[3])};
    if (Shows(mount.root, own)) return mount;
  }
  return absl::NotFoundError(absl::StrCat("find cgroup ", controller.empty() ? "v2" : controller,
                                          ": no mount shows ", own));
}

std::string CgroupDirectory(absl::string_view path, const std::string &point) {
  if (!absl::ConsumePrefix(&path, point + "/")) absl::ConsumePrefix(&path, "/sys/fs/cgroup/");
  while (absl::ConsumePrefix(&path, "/")) {
  }
  return absl::StrCat(point, "/", path);
}

absl::StatusOr<CgroupRoot> FindCgroupRoot() {
  SRCSEL_ASSIGN_OR_RETURN(const std::string own, FindOwnCgroup(ReadAll("/proc/self/cgroup")));
  const absl::StatusOr<CgroupMount> mount = FindCgroupMount(ReadAll("/proc/self/mountinfo"), own);
  if (mount.ok()) {
    Fd root(open(mount->point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Another mount may cover it.
    struct statfs fs;
    if (root && fstatfs(root.get(), &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
      return CgroupRoot{std::move(root), Below(own, mount->root)};
  }
  SRCSEL_ASSIGN_OR_RETURN(Fd root, MountPrivately());
  return CgroupRoot{std::move(root), Below(own, "/")};
}

absl::StatusOr<Fd> OpenCgroup(const std::string &path) {
  return FindCgroup(path, O_RDONLY);
}

absl::StatusOr<Fd> PointToCgroup(const std::string &path) {
  return FindCgroup(path, O_PATH);
}

}  // namespace srcsel
