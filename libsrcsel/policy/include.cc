#include "policy/include.hh"

#include <fcntl.h>
#include <fnmatch.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/directory.hh"
#include "base/fd.hh"

namespace srcsel {
namespace {

bool HasWildcard(const std::string &text) {
  return text.find_first_of("*?[") != std::string::npos;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> FilesNamed(const std::string &pattern) {
  const std::size_t slash = pattern.rfind('/');
  const std::string folder = slash == std::string::npos ? "./" : pattern.substr(0, slash + 1);
  const std::string last = slash == std::string::npos ? pattern : pattern.substr(slash + 1);
  if (!HasWildcard(last)) return std::vector{pattern};
  const Fd directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory && (errno != ENOENT || HasWildcard(folder)))
    return absl::ErrnoToStatus(errno, absl::StrCat(folder, " cannot be read"));
  if (!directory) return std::vector<std::string>();
  std::vector<std::string> files = NamesIn(directory);
  std::erase_if(files, [&](const std::string &name) {
    return fnmatch(last.c_str(), name.c_str(), FNM_PERIOD) != 0;
  });
  std::ranges::sort(files);
  if (slash == std::string::npos) return files;
  for (std::string &name : files) name = folder + name;
  return files;
}

}  // namespace srcsel
