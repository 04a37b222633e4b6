// Keeps a Snapshot of one network namespace true: hears of changes, reads, compiles, publishes.
//
// Contract: works in Process() alone, which its owner calls whenever fd() is readable and which
// waits for nothing but the kernel's listings. What is announced is read once it has been quiet for
// a millisecond, or ten after the first announcement; what is not announced (see netlink/follow.hh)
// is looked at once a second, and when an IPv6 route expires. If something was announced while the
// state was being read, parts of it may not belong together: it is read again, some times at
// once, then it is published all the same, with current() false until the next reading.
//
// Whatever fails, the last snapshot stays; the sockets are closed, and opened again some time
// later: after 0.1 s, twice that, and so on to 3.2 s.
//
// Thread-safe: the const members from any thread; the others on one thread at a time. After fork()
// see base/published.hh.

#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "base/published.hh"
#include "lookup/snapshot.hh"
#include "mirror/place.hh"
#include "netlink/follow.hh"
#include "netlink/read_state.hh"
#include <srcsel/mirror.hh>

namespace srcsel {

class Tracker {
 public:
  // Ready to answer. `place` outlives this.
  static absl::StatusOr<std::unique_ptr<Tracker>> Open(const Place &place);

  int fd() const { return epoll_.get(); }
  void Process();

  const Published<Snapshot> &snapshot() const { return snapshot_; }
  const Published<MirrorStatus> &health() const { return health_; }
  bool current() const { return current_.load(std::memory_order_acquire); }

 private:
  using Clock = std::chrono::steady_clock;
  using Due = std::optional<Clock::time_point>;

  struct Sources {
    Fd netns;
    Follower follower;
    StateReader reader;
  };

  Tracker(const Place &place, Fd epoll, Fd timer)
      : place_(place), epoll_(std::move(epoll)), timer_(std::move(timer)) {}

  absl::Status Advance();
  absl::Status Attach();
  absl::Status Hear();
  absl::Status LookAround();
  absl::Status Read();
  absl::Status Publish(State state);
  void Fail(const absl::Status &status);
  void Arm();

  const Place &place_;
  const Fd epoll_, timer_;
  std::optional<Sources> sources_;  // none after a failure
  Gateways gateways_;               // of what was read last
  Changes unread_;
  std::chrono::milliseconds patience_;  // until the next attempt after a failure
  Due read_, latest_read_, look_around_, expiry_, attach_, collect_;

  Published<Snapshot> snapshot_;
  Published<MirrorStatus> health_;
  std::atomic<bool> current_ = false;
};

}  // namespace srcsel
