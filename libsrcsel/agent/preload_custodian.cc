#include "agent/preload_custodian.hh"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

#include "agent/daemon.hh"
#include "agent/run_members.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

constexpr int kRetryMs = 1000;

// libc has no function for it before glibc 2.36.
Fd OpenPid(pid_t pid) {
  return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

class Custodian {
 public:
  Custodian(PreloadCharge &charge, Fd first) : charge_(charge) {
    members_.push_back(std::move(first));
  }

  void Run() {
    while (!members_.empty() || FindMembers() || FindMembers()) {
      std::vector<pollfd> polled{{charge_.mirror.fd(), POLLIN, 0}};
      for (const Fd &member : members_) polled.push_back({member.get(), POLLIN, 0});
      const bool stale = charge_.mirror.stale();
      poll(polled.data(), polled.size(), stale ? kRetryMs : -1);
      // If it fails, the image stays as it is until the next time.
      if (polled[0].revents || stale)
        charge_.mirror
            .Follow(charge_.policy, [this](auto image) { return charge_.directory.Publish(image); })
            .IgnoreError();
      for (std::size_t i = polled.size(); i-- > 1;)
        if (polled[i].revents)
          members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(i) - 1);
    }
    charge_.directory.Remove();
  }

 private:
  // Those there are; what ended meanwhile may have left others.
  bool FindMembers() {
    for (const pid_t pid : RunMembers(charge_.directory.path()))
      if (Fd member = OpenPid(pid)) members_.push_back(std::move(member));
    return !members_.empty();
  }

  PreloadCharge &charge_;
  std::vector<Fd> members_;  // pidfds
};

}  // namespace

absl::Status StartPreloadCustodian(PreloadCharge &charge) {
  Fd first = OpenPid(getpid());
  if (!first) return absl::ErrnoToStatus(errno, "watch the command's process");
  return StartDaemon("srcsel-preload", [&] {
    Custodian(charge, std::move(first)).Run();
    return 0;
  });
}

}  // namespace srcsel
