#include "agent/trial.hh"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <utility>

#include "agent/daemon.hh"
#include "agent/up.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

// What is locked by somebody who then fails to bring something up tells nobody.
constexpr absl::Duration kRetry = absl::Seconds(1);

class TrialGuard {
 public:
  TrialGuard(UpPaths paths, UpState trial)
      : paths_(std::move(paths)),
        trial_(std::move(trial)),
        changes_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
        // glibc 2.36 has a wrapper, declared without extern "C".
        process_(static_cast<int>(syscall(SYS_pidfd_open, trial_.pid, 0))) {}

  absl::Status Run() {
    SRCSEL_ASSIGN_OR_RETURN(const Fd run, OpenRunDirectory(paths_));
    if (inotify_add_watch(changes_.get(), paths_.run.c_str(), IN_MOVED_TO | IN_DELETE) < 0)
      return absl::ErrnoToStatus(errno, "watch the state");
    while (IsOn(run)) {
      const bool lives = IsFollowing(trial_);
      const absl::Duration left = trial_.until - absl::Now();
      if (!lives && left <= absl::ZeroDuration())
        if (const absl::StatusOr<Fd> lock = TakeLock(run); lock.ok() && IsOn(run))
          return TakeDown(paths_, run);
      Wait(lives, std::max(left, kRetry));
    }
    return absl::OkStatus();
  }

 private:
  bool IsOn(const Fd &run) const {
    const absl::StatusOr<UpState> state = ReadUpState(run);
    return state.ok() && state->pid == trial_.pid && state->started == trial_.started &&
           state->until != absl::InfiniteFuture();
  }

  // A process that lives ends the trial itself.
  void Wait(bool lives, absl::Duration patience) const {
    pollfd polled[] = {{changes_.get(), POLLIN, 0}, {lives ? process_.get() : -1, POLLIN, 0}};
    poll(polled, std::size(polled),
         lives ? -1 : static_cast<int>(absl::ToInt64Milliseconds(patience) + 1));
    char events[4096];
    while (read(changes_.get(), events, sizeof(events)) > 0) continue;
  }

  const UpPaths paths_;
  const UpState trial_;
  const Fd changes_, process_;
};

}  // namespace

absl::Status StartTrialGuard(const UpPaths &paths, const UpState &trial) {
  return StartDaemon("srcsel-trial", [&] {
    // Not the lock, nor what would keep programs loaded.
    close_range(STDERR_FILENO + 1, ~0U, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    return TrialGuard(paths, trial).Run().ok() ? 0 : 1;
  });
}

}  // namespace srcsel
