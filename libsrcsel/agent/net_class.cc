#include "agent/net_class.hh"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/cgroup_root.hh"
#include "policy/text_file.hh"

namespace srcsel {
namespace {

constexpr char kNetCls[] = "net_cls";
constexpr std::size_t kLargest = 1u << 20;

}  // namespace

std::optional<std::uint32_t> ClassidOf(pid_t pid) {
  const auto table = ReadTextFile(absl::StrCat("/proc/", pid, "/cgroup"), kLargest);
  const auto mounts = ReadTextFile("/proc/self/mountinfo", kLargest);
  if (!table.ok() || !mounts.ok()) return std::nullopt;
  const std::optional<std::string> cgroup = FindOldCgroup(*table, kNetCls);
  if (!cgroup) return 0;
  const absl::StatusOr<CgroupMount> mount = FindCgroupMount(*mounts, *cgroup, kNetCls);
  if (!mount.ok()) return std::nullopt;
  const absl::string_view below =
      absl::string_view(*cgroup).substr(mount->root == "/" ? 0 : mount->root.size());
  std::uint32_t classid = 0;
  if (!(std::ifstream(absl::StrCat(mount->point, below, "/net_cls.classid")) >> classid))
    return std::nullopt;
  return classid;
}

}  // namespace srcsel
