#include "agent/cgroup_path.hh"

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/cgroup_id.hh"
#include "agent/run_cgroup.hh"
#include "base/cgroup_root.hh"
#include "base/status.hh"
#include "policy/text_file.hh"

namespace srcsel {

absl::StatusOr<std::string> CgroupOf(pid_t pid) {
  constexpr std::size_t kLargest = 1u << 20;
  const auto table = ReadTextFile(absl::StrCat("/proc/", pid, "/cgroup"), kLargest);
  if (!table.ok())
    return absl::Status(table.status().code(),
                        absl::StrCat("process ", pid, ": ", table.status().message()));
  return FindOwnCgroup(*table);
}

std::vector<std::string> CgroupsAbove(const std::string &path) {
  std::vector<std::string> above{"/"};
  std::string so_far;
  for (absl::string_view name : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    absl::StrAppend(&so_far, "/", name);
    above.push_back(so_far);
  }
  return above;
}

std::string RunCgroupIn(const std::string &path) {
  std::string run;
  for (const std::string &cgroup : CgroupsAbove(path))
    if (absl::StartsWith(cgroup.substr(cgroup.rfind('/') + 1), RunCgroup::kPrefix)) run = cgroup;
  return run;
}

bool IsInCgroup(const std::string &path, const std::string &top) {
  const absl::StatusOr<Fd> directory = PointToCgroup(top);
  const absl::StatusOr<CgroupRoot> root = FindCgroupRoot();
  struct stat about;
  if (!directory.ok() || !root.ok() || fstat(directory->get(), &about) != 0) return false;
  const std::vector<std::string> above = CgroupsAbove(path);
  return std::ranges::any_of(above, [&](const std::string &cgroup) {
    const absl::StatusOr<std::uint64_t> id = CgroupId(root->root, {.path = cgroup});
    return id.ok() && *id == about.st_ino;
  });
}

}  // namespace srcsel
