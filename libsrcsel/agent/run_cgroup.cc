#include "agent/run_cgroup.hh"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <random>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/cgroup_limit.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

Fd OpenDirectory(const Fd &parent, const std::string &name) {
  return Fd(openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

std::vector<std::string> Children(const Fd &directory) {
  struct Close {
    void operator()(DIR *stream) const { closedir(stream); }
  };
  // A descriptor of its own: the position of a directory is shared by duplicates.
  const int copy = openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, Close> stream(copy < 0 ? nullptr : fdopendir(copy));
  std::vector<std::string> names;
  if (!stream) return names;
  while (const dirent *entry = readdir(stream.get()))
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  return names;
}

bool RemoveTree(const Fd &parent, const std::string &name) {
  if (const Fd directory = OpenDirectory(parent, name))
    for (const std::string &child : Children(directory)) RemoveTree(directory, child);
  return unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) == 0;
}

// Whether `directory` is still what its name in `parent` means.
bool IsStill(const Fd &parent, const std::string &name, const Fd &directory) {
  struct stat named, held;
  return fstatat(parent.get(), name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         fstat(directory.get(), &held) == 0 && named.st_ino == held.st_ino;
}

bool IsPopulated(const Fd &directory) {
  const Fd events(openat(directory.get(), "cgroup.events", O_RDONLY | O_CLOEXEC));
  const absl::StatusOr<bool> populated = RunCgroup::Populated(events);
  return !populated.ok() || *populated;
}

// A run within a run replaces it: its cgroup is made beside the outer one's, not below, or the
// outer hooks would run after the inner ones and undo them.
std::string OutsideOfRuns(absl::string_view own) {
  const std::size_t run = absl::StrCat("/", own).find(absl::StrCat("/", RunCgroup::kPrefix));
  if (run == std::string::npos) return std::string(own);
  return run == 0 ? "." : std::string(own.substr(0, run - 1));
}

}  // namespace

absl::StatusOr<RunCgroup> RunCgroup::Create(const CgroupRoot &where) {
  const std::string own = OutsideOfRuns(where.own);
  Fd parent = OpenDirectory(where.root, own);
  if (!parent) return absl::ErrnoToStatus(errno, absl::StrCat("open cgroup ", own));
  std::random_device random;
  for (int attempt = 0; attempt < 8; ++attempt) {
    std::string name = absl::StrFormat("%s%d-%08x", kPrefix, getpid(), random());
    if (mkdirat(parent.get(), name.c_str(), 0755) != 0) {
      const int error = errno;
      if (error == EEXIST) continue;
      const std::string what = absl::StrCat("make cgroup ", own, "/", name);
      const std::string limit = error == EAGAIN ? ReachedLimit(where.root, own) : "";
      if (limit.empty()) return absl::ErrnoToStatus(error, what);
      return absl::ResourceExhaustedError(absl::StrCat(what, ": ", limit));
    }
    Fd directory = OpenDirectory(parent, name);
    if (!directory && errno != ENOENT) {
      const int error = errno;
      unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR);
      return absl::ErrnoToStatus(error, absl::StrCat("open cgroup ", own, "/", name));
    }
    // A sweeper may have taken it between mkdir and flock.
    if (directory && flock(directory.get(), LOCK_EX | LOCK_NB) == 0 &&
        IsStill(parent, name, directory))
      return RunCgroup(std::move(parent), std::move(name), std::move(directory));
  }
  return absl::AbortedError(absl::StrCat("make a cgroup in ", own, ": no name was free"));
}

absl::Status RunCgroup::Join() const {
  const Fd procs(openat(directory_.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC));
  if (!procs || write(procs.get(), "0", 1) != 1)
    return absl::ErrnoToStatus(errno, absl::StrCat("join cgroup ", name_));
  return absl::OkStatus();
}

absl::StatusOr<Fd> RunCgroup::OpenEvents() const {
  Fd events(openat(directory_.get(), "cgroup.events", O_RDONLY | O_CLOEXEC));
  if (!events) return absl::ErrnoToStatus(errno, absl::StrCat("watch cgroup ", name_));
  return events;
}

absl::StatusOr<bool> RunCgroup::Populated(const Fd &events) {
  char text[256];
  const ssize_t size = pread(events.get(), text, sizeof(text), 0);
  if (size < 0) return absl::ErrnoToStatus(errno, "read cgroup.events");
  return absl::StrContains(absl::string_view(text, static_cast<std::size_t>(size)), "populated 1");
}

absl::Status RunCgroup::Remove() const {
  if (!RemoveTree(parent_, name_) && errno != ENOENT)
    return absl::ErrnoToStatus(errno, absl::StrCat("remove cgroup ", name_));
  return absl::OkStatus();
}

int SweepAbandoned(const Fd &root) {
  int removed = 0;
  for (const std::string &name : Children(root)) {
    const Fd directory = OpenDirectory(root, name);
    if (!directory) continue;
    if (!absl::StartsWith(name, RunCgroup::kPrefix)) {
      removed += SweepAbandoned(directory);
      continue;
    }
    if (flock(directory.get(), LOCK_EX | LOCK_NB) != 0 || IsPopulated(directory)) continue;
    if (RemoveTree(root, name)) ++removed;
  }
  return removed;
}

}  // namespace srcsel
