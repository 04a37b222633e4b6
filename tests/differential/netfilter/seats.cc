#include "seats.hh"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/cgroup_root.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

std::string ReadAll(const char *path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

absl::Status Write(const std::string &path, const std::string &text) {
  std::ofstream file(path);
  file << text << std::flush;
  if (!file.good()) return absl::ErrnoToStatus(errno, absl::StrCat("write ", text, " to ", path));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Seats> Seats::Make() {
  SRCSEL_ASSIGN_OR_RETURN(std::string own, FindOwnCgroup(ReadAll("/proc/self/cgroup")));
  SRCSEL_ASSIGN_OR_RETURN(const CgroupMount mount,
                          FindCgroupMount(ReadAll("/proc/self/mountinfo"), own));
  SRCSEL_ASSIGN_OR_RETURN(lab::TestCgroup top, lab::TestCgroup::Create());
  Seats seats(std::move(top), mount.point, std::move(own));
  const std::string &path = seats.top_.path();
  SRCSEL_RETURN_IF_ERROR(Write(path + "/cgroup.procs", absl::StrCat(getpid())));
  for (const char *name : {"", "/in", "/in/below", "/in-beside"}) {
    seats.paths_.push_back(absl::StrCat(path.substr(mount.point.size()), name));
    if (*name == 0) continue;
    if (mkdir((path + name).c_str(), 0755) != 0)
      return absl::ErrnoToStatus(errno, absl::StrCat("make cgroup ", path, name));
    SRCSEL_RETURN_IF_ERROR(Write(absl::StrCat(path, name, "/cgroup.type"), "threaded"));
  }
  return seats;
}

Seats::~Seats() {
  if (paths_.empty()) return;
  Write(absl::StrCat(mount_, before_, "/cgroup.procs"), absl::StrCat(getpid())).IgnoreError();
}

NftCgroup Seats::ForNft() const {
  const std::string path = mount_ + named();
  absl::string_view below = path;
  absl::ConsumePrefix(&below, "/sys/fs/cgroup/");
  return {std::string(below), static_cast<std::size_t>(std::ranges::count(named(), '/'))};
}

absl::Status Seats::Sit(const std::string &path) const {
  return Write(absl::StrCat(mount_, path, "/cgroup.threads"), absl::StrCat(gettid()));
}

}  // namespace srcsel
