#include "agent/run_members.hh"

#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/directory.hh"
#include "base/fd.hh"

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
  for (const std::string &name : NamesIn(proc)) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(name, &pid) || pid == getpid()) continue;
    if (absl::StrContains(ReadFile(proc, name + "/environ"), named) ||
        absl::StrContains(ReadFile(proc, name + "/maps"), mapped))
      members.push_back(pid);
  }
  return members;
}

}  // namespace srcsel
