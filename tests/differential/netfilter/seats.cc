#include "seats.hh"

#include <fcntl.h>
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

absl::Status SitIn(const std::string &directory) {
  return Write(directory + "/cgroup.threads", absl::StrCat(gettid()));
}

}  // namespace

absl::StatusOr<Seats> Seats::Make() {
  SRCSEL_ASSIGN_OR_RETURN(std::string own, FindOwnCgroup(ReadAll("/proc/self/cgroup")));
  SRCSEL_ASSIGN_OR_RETURN(const CgroupMount mount,
                          FindCgroupMount(ReadAll("/proc/self/mountinfo"), own));
  SRCSEL_ASSIGN_OR_RETURN(lab::TestCgroup top, lab::TestCgroup::Create());
  Seats seats(std::move(top), mount.point, std::move(own));
  SRCSEL_RETURN_IF_ERROR(Write(seats.path() + "/cgroup.procs", absl::StrCat(getpid())));
  return seats;
}

Seats::~Seats() {
  if (path().empty()) return;
  Write(absl::StrCat(mount_, before_, "/cgroup.procs"), absl::StrCat(getpid())).IgnoreError();
}

absl::StatusOr<SeatRow> SeatRow::Make(const Seats &seats, std::uint32_t number) {
  SeatRow row(seats);
  const std::string place = absl::StrCat(seats.path(), "/", number);
  for (const char *name : {"", "/in", "/in/below", "/in-beside"}) {
    const std::string path = place + name;
    if (mkdir(path.c_str(), 0755) != 0)
      return absl::ErrnoToStatus(errno, absl::StrCat("make cgroup ", path));
    row.paths_.push_back(path.substr(seats.mount().size()));
    SRCSEL_RETURN_IF_ERROR(Write(path + "/cgroup.type", "threaded"));
  }
  return row;
}

SeatRow::SeatRow(SeatRow &&other) noexcept
    : seats_(other.seats_), paths_(std::exchange(other.paths_, {})) {}

SeatRow::~SeatRow() {
  if (paths_.empty()) return;
  SitIn(seats_.path()).IgnoreError();
  std::ranges::reverse(paths_);
  for (const std::string &path : paths_) rmdir((seats_.mount() + path).c_str());
}

NftCgroup SeatRow::ForNft() const {
  const std::string path = seats_.mount() + named();
  absl::string_view below = path;
  absl::ConsumePrefix(&below, "/sys/fs/cgroup/");
  return {std::string(below), static_cast<std::size_t>(std::ranges::count(named(), '/'))};
}

absl::StatusOr<Fd> SeatRow::Open() const {
  const std::string path = seats_.mount() + paths_.front();
  Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return absl::ErrnoToStatus(errno, absl::StrCat("open cgroup ", path));
  return directory;
}

absl::Status SeatRow::Sit(const std::string &path) const {
  return SitIn(seats_.mount() + path);
}

}  // namespace srcsel
