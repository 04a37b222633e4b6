#include "agent/custodian.hh"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "agent/daemon.hh"
#include "agent/own_rules.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

constexpr int kRetryMs = 1000;

class Custodian {
 public:
  Custodian(Charge &charge, Fd events, Fd caller)
      : charge_(charge), events_(std::move(events)), caller_(std::move(caller)) {}

  void Run() {
    while (!Finished()) {
      pollfd polled[] = {{events_.get(), POLLPRI, 0},
                         {charge_.mirror.fd(), POLLIN, 0},
                         {caller_.get(), POLLIN, 0}};
      const bool stale = charge_.mirror.stale();
      poll(polled, std::size(polled), stale || stuck_ ? kRetryMs : -1);
      // If it fails, the image stays as it is until the next time.
      if (polled[1].revents || stale)
        charge_.mirror.Follow(charge_.policy, charge_.hooks).IgnoreError();
      if (polled[2].revents) HearCaller();
    }
  }

 private:
  // Empty, and nobody is on his way in.
  bool Finished() {
    if (caller_) return false;
    const absl::StatusOr<bool> populated = RunCgroup::Populated(events_);
    if (populated.ok() && *populated) return false;
    stuck_ = !charge_.cgroup.Remove().ok();
    return !stuck_;
  }

  void HearCaller() {
    char joined;
    // One byte, or the end: in either case the caller has nothing more to say.
    if (recv(caller_.get(), &joined, 1, 0) < 0 && errno == EINTR) return;
    caller_.reset();
  }

  Charge &charge_;
  Fd events_;  // of the cgroup
  Fd caller_;
  bool stuck_ = false;  // the cgroup is empty and could not be removed
};

}  // namespace

absl::StatusOr<Fd> StartCustodian(Charge &charge) {
  SRCSEL_ASSIGN_OR_RETURN(Fd events, charge.cgroup.OpenEvents());
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return absl::ErrnoToStatus(errno, "make a socket pair");
  Fd ours(pair[0]), theirs(pair[1]);
  SRCSEL_RETURN_IF_ERROR(StartDaemon("srcsel-custody", [&] {
    ours.reset();
    Custodian(charge, std::move(events), std::move(theirs)).Run();
    LeaveSteeringRuns(std::move(charge.steering));
    return 0;
  }));
  return ours;
}

}  // namespace srcsel
