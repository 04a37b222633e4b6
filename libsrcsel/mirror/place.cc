#include "mirror/place.hh"

#include <fcntl.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/netns.hh"
#include "base/status.hh"

namespace srcsel {

absl::StatusOr<Place> Place::Of(std::string name) {
  Fd own;
  if (name.empty()) {
    SRCSEL_ASSIGN_OR_RETURN(own, OwnNetns());
  }
  return Place(std::move(name), std::move(own));
}

absl::StatusOr<Fd> Place::Open() const {
  if (!name_.empty()) return OpenNetns(name_);
  Fd copy(fcntl(own_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return absl::ErrnoToStatus(errno, "copy a network namespace's descriptor");
  return copy;
}

absl::Status Place::ExpectStill(const Fd &netns) const {
  if (name_.empty()) return absl::OkStatus();
  SRCSEL_ASSIGN_OR_RETURN(const Fd now, OpenNetns(name_));
  if (SameNetns(now, netns)) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("follow ", name_, ": now another network namespace"));
}

}  // namespace srcsel
