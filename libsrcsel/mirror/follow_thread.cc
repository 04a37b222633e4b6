#include "mirror/follow_thread.hh"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <iterator>

#include "absl/memory/memory.h"
#include "base/status.hh"
#include "base/thread.hh"

namespace srcsel {
namespace {

void Follow(Tracker &tracker, int stop) {
  pollfd polled[] = {{stop, POLLIN, 0}, {tracker.fd(), POLLIN, 0}};
  for (;;) {
    poll(polled, std::size(polled), -1);
    if (polled[0].revents) return;
    if (polled[1].revents) tracker.Process();
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<FollowThread>> FollowThread::Start(Tracker &tracker) {
  Fd stop(eventfd(0, EFD_CLOEXEC));
  if (!stop) return absl::ErrnoToStatus(errno, "make an eventfd");
  SRCSEL_ASSIGN_OR_RETURN(std::thread thread,
                          StartThread([&tracker, fd = stop.get()] { Follow(tracker, fd); }));
  return absl::WrapUnique(new FollowThread(std::move(stop), std::move(thread)));
}

FollowThread::~FollowThread() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

}  // namespace srcsel
