#include "agent/custodian.hh"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "base/status.hh"

namespace srcsel {
namespace {

// Changes come in bursts: once one is heard, more are waited for until none comes for kQuiet, but
// not longer than kBurst times that.
constexpr int kQuietMs = 1;
constexpr int kBurst = 10;
constexpr int kRetryMs = 1000;

// Descriptors the caller left open in us survived an exec, so they are without close-on-exec; all
// of our own have it.
void CloseInherited() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, standard);
  struct Close {
    void operator()(DIR *directory) const { closedir(directory); }
  };
  const std::unique_ptr<DIR, Close> fds(opendir("/proc/self/fd"));
  while (const dirent *entry = fds ? readdir(fds.get()) : nullptr) {
    int fd = -1;
    if (!absl::SimpleAtoi(entry->d_name, &fd) || fd <= STDERR_FILENO) continue;
    const int flags = fcntl(fd, F_GETFD);
    if (flags >= 0 && !(flags & FD_CLOEXEC)) close(fd);
  }
}

class Custodian {
 public:
  Custodian(Charge &charge, Fd events, Fd caller)
      : charge_(charge), events_(std::move(events)), caller_(std::move(caller)) {}

  void Run() {
    while (!Finished()) {
      pollfd polled[] = {{events_.get(), POLLPRI, 0},
                         {charge_.mirror.fd(), POLLIN, 0},
                         {caller_.get(), POLLIN, 0}};
      poll(polled, std::size(polled), stale_ || stuck_ ? kRetryMs : -1);
      if (polled[1].revents || stale_) Follow();
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

  void Follow() {
    pollfd polled = {charge_.mirror.fd(), POLLIN, 0};
    for (int i = 0; i < kBurst; ++i) {
      const absl::StatusOr<bool> changed = charge_.mirror.Changed();
      stale_ |= !changed.ok() || *changed;
      if (poll(&polled, 1, kQuietMs) == 0) break;
    }
    if (stale_) stale_ = !charge_.mirror.Refresh(charge_.policy, charge_.hooks).ok();
  }

  Charge &charge_;
  Fd events_;  // of the cgroup
  Fd caller_;
  bool stale_ = false;  // the image is not what the kernel has
  bool stuck_ = false;  // the cgroup is empty and could not be removed
};

[[noreturn]] void BeCustodian(Charge &charge, Fd events, Fd caller) {
  prctl(PR_SET_NAME, "srcsel-custody");
  signal(SIGPIPE, SIG_IGN);
  CloseInherited();
  if (chdir("/") != 0) _exit(1);
  Custodian(charge, std::move(events), std::move(caller)).Run();
  _exit(0);
}

}  // namespace

absl::StatusOr<Fd> StartCustodian(Charge &charge) {
  SRCSEL_ASSIGN_OR_RETURN(Fd events, charge.cgroup.OpenEvents());
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return absl::ErrnoToStatus(errno, "make a socket pair");
  Fd ours(pair[0]), theirs(pair[1]);
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "fork");
  if (child == 0) {
    ours.reset();
    setsid();
    const pid_t custodian = fork();
    if (custodian == 0) BeCustodian(charge, std::move(events), std::move(theirs));
    _exit(custodian < 0 ? errno : 0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return absl::ErrnoToStatus(WIFEXITED(status) ? WEXITSTATUS(status) : EINTR,
                               "start the process that follows the kernel");
  return ours;
}

}  // namespace srcsel
