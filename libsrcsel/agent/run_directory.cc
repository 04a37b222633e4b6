#include "agent/run_directory.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/publish_image.hh"
#include "agent/run_members.hh"
#include "base/directory.hh"

namespace srcsel {
namespace {

constexpr char kPrefix[] = "srcsel-run-";

Fd OpenDirectory(const std::string &path) {
  return Fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool IsMineAlone(const Fd &directory) {
  struct stat file;
  return fstat(directory.get(), &file) == 0 && file.st_uid == geteuid() &&
         (file.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

std::string Base() {
  if (geteuid() == 0) return "/run";
  const char *named = std::getenv("XDG_RUNTIME_DIR");
  for (const std::string &path :
       {std::string(named != nullptr ? named : ""), absl::StrCat("/run/user/", geteuid())})
    if (absl::StartsWith(path, "/") && IsMineAlone(OpenDirectory(path))) return path;
  return "/tmp";
}

void RemoveAll(const std::string &path, const Fd &directory) {
  for (const std::string &name : NamesIn(directory)) unlinkat(directory.get(), name.c_str(), 0);
  rmdir(path.c_str());
}

}  // namespace

absl::StatusOr<RunDirectory> RunDirectory::Create() {
  std::string path = absl::StrCat(Base(), "/", kPrefix, "XXXXXX");
  if (mkdtemp(path.data()) == nullptr)
    return absl::ErrnoToStatus(errno, absl::StrCat("make a directory ", path));
  Fd directory = OpenDirectory(path);
  if (!directory || !IsMineAlone(directory) || flock(directory.get(), LOCK_EX | LOCK_NB) != 0 ||
      (geteuid() == 0 && fchmod(directory.get(), 0755) != 0)) {
    const int error = errno;
    rmdir(path.c_str());
    return absl::ErrnoToStatus(error, absl::StrCat("open the directory ", path));
  }
  return RunDirectory(std::move(path), std::move(directory));
}

absl::Status RunDirectory::Publish(std::span<const std::byte> image) const {
  return PublishImage(directory_, kImage, image, geteuid() == 0 ? 0644 : 0600);
}

void RunDirectory::Remove() const {
  RemoveAll(path_, directory_);
}

int SweepRunDirectories() {
  const std::string base = Base();
  int removed = 0;
  for (const std::string &name : NamesIn(OpenDirectory(base))) {
    if (!absl::StartsWith(name, kPrefix)) continue;
    const std::string path = absl::StrCat(base, "/", name);
    const Fd directory = OpenDirectory(path);
    if (!directory || !IsMineAlone(directory)) continue;
    if (flock(directory.get(), LOCK_EX | LOCK_NB) != 0 || !RunMembers(path).empty()) continue;
    RemoveAll(path, directory);
    ++removed;
  }
  return removed;
}

}  // namespace srcsel
