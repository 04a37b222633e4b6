#include "base/processes.hh"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/directory.hh"
#include "base/fd.hh"

namespace srcsel {

std::vector<pid_t> Processes() {
  const Fd proc(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::vector<pid_t> pids;
  for (const std::string &name : NamesIn(proc))
    if (pid_t pid = 0; absl::SimpleAtoi(name, &pid)) pids.push_back(pid);
  std::ranges::sort(pids);
  return pids;
}

bool SharesNamespace(pid_t pid, const std::string &kind) {
  struct stat own, other;
  return stat(absl::StrCat("/proc/self/ns/", kind).c_str(), &own) == 0 &&
         stat(absl::StrCat("/proc/", pid, "/ns/", kind).c_str(), &other) == 0 &&
         own.st_ino == other.st_ino;
}

std::vector<pid_t> OnePerNamespace(const std::string &kind, const std::vector<pid_t> &processes) {
  std::vector<pid_t> pids;
  std::set<ino_t> seen;
  struct stat about;
  for (const pid_t pid : processes)
    if (stat(absl::StrCat("/proc/", pid, "/ns/", kind).c_str(), &about) == 0 &&
        seen.insert(about.st_ino).second)
      pids.push_back(pid);
  return pids;
}

}  // namespace srcsel
