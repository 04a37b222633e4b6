#include "demo/needs.hh"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace srcsel::demo {
namespace {

bool InPath(absl::string_view program) {
  const char *path = std::getenv("PATH");
  const std::vector<std::string> directories = absl::StrSplit(path ? path : "", ':');
  return std::any_of(directories.begin(), directories.end(), [&](const std::string &directory) {
    return access(absl::StrCat(directory, "/", program).c_str(), X_OK) == 0;
  });
}

}  // namespace

absl::Status CheckNeeds() {
  if (geteuid() != 0)
    return absl::PermissionDeniedError("needs root, to make network namespaces: run as root");
  std::vector<std::string> missing;
  for (const char *program : {"ip", "nft", "iptables", "ip6tables", "conntrack", "nginx", "curl"})
    if (!InPath(program)) missing.emplace_back(program);
  if (missing.empty()) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("not found in PATH: ", absl::StrJoin(missing, ", "),
                                          "; ./tools/dev setup installs what is needed"));
}

absl::StatusOr<std::string> FindSrcsel() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return absl::ErrnoToStatus(error.value(), "read /proc/self/exe");
  std::string srcsel = self.parent_path() / "srcsel";
  if (access(srcsel.c_str(), X_OK) != 0)
    return absl::NotFoundError(
        absl::StrCat("no program ", srcsel, ": build the target srcsel, too"));
  return srcsel;
}

}  // namespace srcsel::demo
