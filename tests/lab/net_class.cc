#include "lab/net_class.hh"

#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

#include "base/status.hh"
#include "lab/cgroup.hh"
#include "lab/run_eventually.hh"

namespace srcsel::lab {
namespace {

absl::Status WriteNumber(const std::string &path, std::int64_t number) {
  std::ofstream file(path);
  if (!(file << number) || !file.flush()) return absl::ErrnoToStatus(errno, "write " + path);
  return absl::OkStatus();
}

// How many cgroups the hierarchy has, those among them that are still being removed.
int CountCgroups() {
  std::ifstream table("/proc/cgroups");
  std::string name;
  int hierarchy = 0, cgroups = 0;
  while (table >> name)
    if (name == "net_cls" && table >> hierarchy >> cgroups) return cgroups;
  return 0;
}

}  // namespace

absl::StatusOr<NetClass> NetClass::Make(std::uint32_t classid) {
  SRCSEL_ASSIGN_OR_RETURN(TempDir point, TempDir::Make());
  if (mount("none", point.path().c_str(), "cgroup", 0, "net_cls") != 0)
    return absl::UnavailableError(
        absl::ErrnoToStatus(errno, "mount net_cls of cgroup v1").message());
  NetClass made(std::move(point));
  made.others_ = CountCgroups();
  SRCSEL_ASSIGN_OR_RETURN(made.path_, MakeCgroupIn(made.point_.path()));
  SRCSEL_RETURN_IF_ERROR(WriteNumber(made.path_ + "/net_cls.classid", classid));
  return made;
}

NetClass::NetClass(NetClass &&other) noexcept
    : point_(std::move(other.point_)),
      path_(std::exchange(other.path_, {})),
      others_(other.others_) {}

NetClass::~NetClass() {
  if (!path_.empty()) rmdir(path_.c_str());
  // A hierarchy that has a cgroup when it is unmounted stays.
  if (!path_.empty()) Eventually([&] { return CountCgroups() <= others_; });
  if (!point_.path().empty()) umount2(point_.path().c_str(), MNT_DETACH);
}

absl::Status NetClass::Enter() const {
  return WriteNumber(path_ + "/tasks", gettid());
}

std::vector<std::string> NetClass::Words(const std::vector<std::string> &words) const {
  std::vector<std::string> all{"sh", "-ec", "echo $$ >\"$0\"/tasks; exec \"$@\"", path_};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

}  // namespace srcsel::lab
