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

std::vector<pid_t> OnePerNamespace(const std::string &kind) {
  std::vector<pid_t> pids;
  std::set<ino_t> seen;
  struct stat about;
  for (const pid_t pid : Processes())
    if (stat(absl::StrCat("/proc/", pid, "/ns/", kind).c_str(), &about) == 0 &&
        seen.insert(about.st_ino).second)
      pids.push_back(pid);
  return pids;
}

}  // namespace srcsel
