#include "agent/up_paths.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "base/directory.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

std::string Or(const char *variable, std::string usual) {
  const char *given = geteuid() == 0 ? secure_getenv(variable) : nullptr;
  return given != nullptr && *given != '\0' ? given : std::move(usual);
}

}  // namespace

UpPaths UpPaths::Get() {
  const UpPaths usual;
  return {Or("SRCSEL_RUN_DIR", usual.run), Or("SRCSEL_BPF_DIR", usual.bpf)};
}

absl::StatusOr<Fd> MakeRunDirectory(const UpPaths &paths) {
  const bool is_new = mkdir(paths.run.c_str(), 0755) == 0;
  if (!is_new && errno != EEXIST)
    return absl::ErrnoToStatus(errno, absl::StrCat("make ", paths.run));
  SRCSEL_ASSIGN_OR_RETURN(Fd directory, OpenRunDirectory(paths));
  // Every user's preload reads the image, whatever the umask is.
  if (is_new && fchmod(directory.get(), 0755) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", paths.run, " to all"));
  return directory;
}

absl::StatusOr<Fd> OpenRunDirectory(const UpPaths &paths) {
  Fd directory(open(paths.run.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat about;
  if (!directory || fstat(directory.get(), &about) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", paths.run));
  if ((about.st_uid != 0 && about.st_uid != geteuid()) || (about.st_mode & 022) != 0)
    return absl::PermissionDeniedError(absl::StrCat(paths.run,
                                                    " is not root's to write alone: chown root ",
                                                    paths.run, " && chmod 755 ", paths.run));
  return directory;
}

absl::StatusOr<Fd> TakeLock(const Fd &run) {
  for (;;) {
    Fd lock(openat(run.get(), "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock) return absl::ErrnoToStatus(errno, "open the lock");
    if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) return absl::AlreadyExistsError("srcsel is up already");
      return absl::ErrnoToStatus(errno, "take the lock");
    }
    // Whoever had it may have removed it.
    if (IsNamed(run.get(), "lock", lock)) return lock;
  }
}

}  // namespace srcsel
