// Says when the netfilter rules of a network namespace have changed.
//
// What nft and iptables-nft commit, sets' elements included, the kernel announces. The legacy
// tables it does not: a digest of what iptables-legacy-save lists, counters aside, is compared at
// the times that the owner asks for it.
//
// Contract: Open() before the rules are read, so that no change falls between. The descriptor is
// readable while there are announcements; a lost one counts as a change. Not thread-safe. Cost: one
// read() for each burst, whatever is in it; PollLegacy() without legacy tables two small files,
// with them a run of iptables-legacy-save a family.

#pragma once

#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"
#include "base/fd.hh"

namespace srcsel {

class RuleFollower {
 public:
  // Of the calling thread's namespace.
  static absl::StatusOr<RuleFollower> Open();

  // To wait on with poll().
  int fd() const { return socket_.get(); }

  // Takes all announcements there are. Whether any of them is a change: in the rules, their sets,
  // or because some were lost.
  absl::StatusOr<bool> Drain();

  // Whether the legacy tables differ from what they were at the last call, or at Open(). In the
  // namespace that the follower was opened in.
  bool PollLegacy();

 private:
  explicit RuleFollower(Fd socket) : socket_(std::move(socket)) {}

  Fd socket_;
  std::size_t legacy_ = 0;
};

}  // namespace srcsel
