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
// A process that has not ended its trial by then, because it is stopped or waits for what the trial
// broke, will not.
constexpr absl::Duration kGrace = absl::Seconds(5);

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
      const bool lives = Lives();
      const absl::Duration left = trial_.until - absl::Now();
      if (lives && left <= -kGrace)
        syscall(SYS_pidfd_send_signal, process_.get(), SIGKILL, nullptr, 0);
      else if (!lives && left <= absl::ZeroDuration() && TookDown(run))
        break;
      Wait(lives, std::max(left + (lives ? kGrace : absl::ZeroDuration()), kRetry));
    }
    return absl::OkStatus();
  }

 private:
  // As long as nothing says otherwise.
  bool IsOn(const Fd &run) const {
    const absl::StatusOr<UpState> state = ReadUpState(run);
    if (!state.ok()) return !absl::IsNotFound(state.status());
    return state->pid == trial_.pid && state->started == trial_.started &&
           state->until != absl::InfiniteFuture();
  }

  bool Lives() const {
    pollfd ended = {process_.get(), POLLIN, 0};
    return process_ ? poll(&ended, 1, 0) == 0 : IsFollowing(trial_);
  }

  bool TookDown(const Fd &run) const {
    const absl::StatusOr<Fd> lock = TakeLock(run);
    return lock.ok() && IsOn(run) && TakeDown(paths_, run).ok();
  }

  // A process that lives ends the trial itself, if it can.
  void Wait(bool lives, absl::Duration patience) const {
    pollfd polled[] = {{changes_.get(), POLLIN, 0}, {lives ? process_.get() : -1, POLLIN, 0}};
    poll(polled, std::size(polled), static_cast<int>(absl::ToInt64Milliseconds(patience) + 1));
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
