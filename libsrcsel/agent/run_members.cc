#include "agent/run_members.hh"

#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/fd.hh"
#include "base/processes.hh"

namespace srcsel {
namespace {

// Empty if it cannot be read.
std::string ReadFile(const Fd &directory, const std::string &name) {
  const Fd file(openat(directory.get(), name.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char part[16384];
  ssize_t size = 0;
  while (file && (size = read(file.get(), part, sizeof(part))) > 0)
    text.append(part, static_cast<std::size_t>(size));
  return text;
}

}  // namespace

std::vector<pid_t> RunMembers(const std::string &directory) {
  const std::string named = absl::StrCat("SRCSEL_IMAGE=", directory, "/");
  const std::string mapped = absl::StrCat(" ", directory, "/");
  const Fd proc(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::vector<pid_t> members;
  for (const pid_t pid : Processes()) {
    if (pid == getpid()) continue;
    if (absl::StrContains(ReadFile(proc, absl::StrCat(pid, "/environ")), named) ||
        absl::StrContains(ReadFile(proc, absl::StrCat(pid, "/maps")), mapped))
      members.push_back(pid);
  }
  return members;
}

}  // namespace srcsel
