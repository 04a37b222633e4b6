#include "srcsel/doctor/host_files.hh"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/directory.hh"

namespace srcsel {
namespace {

struct Capability {
  const char *name;
  int number;
};
constexpr Capability kWanted[] = {{"CAP_BPF", CAP_BPF},
                                  {"CAP_PERFMON", CAP_PERFMON},
                                  {"CAP_NET_ADMIN", CAP_NET_ADMIN},
                                  {"CAP_SYS_ADMIN", CAP_SYS_ADMIN}};

bool HasSubdirectory(const std::string &path) {
  const Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return std::ranges::any_of(NamesIn(directory), [&](const std::string &name) {
    struct stat about;
    return fstatat(directory.get(), name.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(about.st_mode);
  });
}

}  // namespace

std::vector<std::string> MissingCaps(absl::string_view status) {
  std::vector<std::string> missing;
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    std::uint64_t effective = 0;
    if (!absl::ConsumePrefix(&line, "CapEff:") ||
        !absl::SimpleHexAtoi(absl::StripAsciiWhitespace(line), &effective))
      continue;
    for (const Capability &wanted : kWanted)
      if ((effective >> wanted.number & 1) == 0) missing.emplace_back(wanted.name);
  }
  return missing;
}

std::string LockdownLevel(absl::string_view text) {
  const std::size_t begin = text.find('['), end = text.find(']');
  if (begin == absl::string_view::npos || end == absl::string_view::npos || end < begin) return "";
  const std::string level(text.substr(begin + 1, end - begin - 1));
  return level == "none" ? "" : level;
}

// Point and options are the fifth word and the last: "... /sys/fs/cgroup/net_cls rw - cgroup cgroup
// rw,net_cls".
std::vector<std::string> NetControllersInUse(absl::string_view mountinfo) {
  std::vector<std::string> in_use;
  for (absl::string_view line : absl::StrSplit(mountinfo, '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() < 10 || !absl::StrContains(line, " - cgroup ")) continue;
    const std::vector<std::string> options = absl::StrSplit(words.back(), ',');
    for (const char *controller : {"net_cls", "net_prio"})
      if (std::ranges::find(options, controller) != options.end() && HasSubdirectory(words[4]))
        in_use.emplace_back(controller);
  }
  return in_use;
}

}  // namespace srcsel
