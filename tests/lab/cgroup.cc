#include "lab/cgroup.hh"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/fd.hh"
#include "base/status.hh"

namespace srcsel::lab {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const std::string &path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Field 5 of a line is the mount point; the type follows the separator.
absl::StatusOr<std::string> MountPoint() {
  const std::string mounts = ReadFile("/proc/self/mountinfo");
  for (absl::string_view line : absl::StrSplit(mounts, '\n')) {
    if (!absl::StrContains(line, " - cgroup2 ")) continue;
    const std::vector<std::string> fields = absl::StrSplit(line, ' ');
    return fields[4];
  }
  return absl::NotFoundError("find cgroup v2 in /proc/self/mountinfo: it is not mounted");
}

absl::StatusOr<std::string> OwnPath() {
  const std::string cgroups = ReadFile("/proc/self/cgroup");
  for (absl::string_view line : absl::StrSplit(cgroups, '\n'))
    if (absl::ConsumePrefix(&line, "0::")) return std::string(line);
  return absl::NotFoundError("find the own cgroup v2 in /proc/self/cgroup");
}

bool IsPopulated(const std::string &path) {
  return absl::StrContains(ReadFile(path + "/cgroup.events"), "populated 1");
}

void RemoveWithAllBelow(const fs::path &path) {
  std::error_code ignored;
  for (const fs::directory_entry &entry : fs::directory_iterator(path, ignored))
    if (entry.is_directory(ignored)) RemoveWithAllBelow(entry.path());
  rmdir(path.c_str());
}

constexpr char kPrefix[] = "lab-";

// Those whose test has been killed. What still ends in one now, the next test removes.
void RemoveAbandoned(const fs::path &above) {
  std::error_code ignored;
  for (const fs::directory_entry &entry : fs::directory_iterator(above, ignored)) {
    const std::string name = entry.path().filename();
    absl::string_view rest = name;
    pid_t owner = 0;
    if (!absl::ConsumePrefix(&rest, kPrefix) ||
        !absl::SimpleAtoi(rest.substr(0, rest.find('-')), &owner) || owner <= 0)
      continue;
    if (kill(owner, 0) == 0 || errno != ESRCH) continue;
    std::ofstream(entry.path() / "cgroup.kill") << "1";
    RemoveWithAllBelow(entry.path());
  }
}

}  // namespace

absl::StatusOr<std::string> MakeCgroupIn(const std::string &above) {
  RemoveAbandoned(above);
  std::string path = absl::StrCat(above, "/", kPrefix, getpid(), "-XXXXXX");
  if (!mkdtemp(path.data())) return absl::ErrnoToStatus(errno, "make cgroup " + path);
  return path;
}

absl::StatusOr<TestCgroup> TestCgroup::Create() {
  SRCSEL_ASSIGN_OR_RETURN(const std::string mount, MountPoint());
  SRCSEL_ASSIGN_OR_RETURN(const std::string own, OwnPath());
  SRCSEL_ASSIGN_OR_RETURN(std::string path, MakeCgroupIn(own == "/" ? mount : mount + own));
  return TestCgroup(std::move(path));
}

TestCgroup::TestCgroup(TestCgroup &&other) noexcept : path_(std::exchange(other.path_, {})) {}

TestCgroup::~TestCgroup() {
  if (path_.empty()) return;
  std::ofstream(path_ + "/cgroup.kill") << "1";
  WaitUntilEmpty().IgnoreError();
  RemoveWithAllBelow(path_);
}

bool TestCgroup::exists() const {
  return fs::exists(path_);
}

std::vector<pid_t> TestCgroup::procs() const {
  std::ifstream file(path_ + "/cgroup.procs");
  return {std::istream_iterator<pid_t>(file), {}};
}

std::vector<std::string> TestCgroup::children() const {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const fs::directory_entry &entry : fs::directory_iterator(path_, ignored))
    if (entry.is_directory(ignored)) names.push_back(entry.path().filename());
  return names;
}

absl::Status TestCgroup::WaitUntilEmpty(Deadline deadline) const {
  const Fd events(open((path_ + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
  if (!events) return absl::ErrnoToStatus(errno, "open cgroup.events of " + path_);
  char content[256];
  while (IsPopulated(path_)) {
    if (deadline.Passed())
      return absl::DeadlineExceededError("wait for the end of all in " + path_);
    pollfd changed{events.get(), POLLPRI, 0};
    poll(&changed, 1, deadline.PollTimeout());
    if (pread(events.get(), content, sizeof(content), 0) < 0) break;
  }
  return absl::OkStatus();
}

absl::Status TestCgroup::WaitUntilChildless(Deadline deadline) const {
  const Fd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch || inotify_add_watch(watch.get(), path_.c_str(), IN_DELETE) < 0)
    return absl::ErrnoToStatus(errno, "watch " + path_);
  char events[4096];
  while (!children().empty()) {
    if (deadline.Passed())
      return absl::DeadlineExceededError("wait for the cgroups below " + path_ + " to go");
    pollfd changed{watch.get(), POLLIN, 0};
    poll(&changed, 1, deadline.PollTimeout());
    while (read(watch.get(), events, sizeof(events)) > 0) continue;
  }
  return absl::OkStatus();
}

}  // namespace srcsel::lab
