#include "base/process_name.hh"

#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/fd.hh"

namespace srcsel {

std::string ProcessName(pid_t pid) {
  const Fd file(open(absl::StrCat("/proc/", pid, "/comm").c_str(), O_RDONLY | O_CLOEXEC));
  char name[64];
  const ssize_t size = file ? read(file.get(), name, sizeof(name)) : 0;
  return size > 1 ? std::string(name, static_cast<std::size_t>(size) - 1) : "?";
}

}  // namespace srcsel
