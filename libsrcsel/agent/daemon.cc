#include "agent/daemon.hh"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <string>

#include "absl/strings/numbers.h"
#include "base/directory.hh"
#include "base/fd.hh"

namespace srcsel {
namespace {

// Descriptors the caller left open in us survived an exec, so they are without close-on-exec; all
// of our own have it.
void CloseInherited() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, standard);
  const Fd fds(open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (const std::string &name : NamesIn(fds)) {
    int fd = -1;
    if (!absl::SimpleAtoi(name, &fd) || fd <= STDERR_FILENO) continue;
    const int flags = fcntl(fd, F_GETFD);
    if (flags >= 0 && !(flags & FD_CLOEXEC)) close(fd);
  }
}

[[noreturn]] void BeDaemon(const char *name, absl::FunctionRef<int()> body) {
  prctl(PR_SET_NAME, name);
  signal(SIGPIPE, SIG_IGN);
  CloseInherited();
  if (chdir("/") != 0) _exit(1);
  _exit(body());
}

// What the end of our own child has left pending is nobody's business.
void ForgetChild(const sigset_t &pending) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  const timespec now{};
  if (!sigismember(&pending, SIGCHLD)) sigtimedwait(&child, nullptr, &now);
}

}  // namespace

absl::Status StartDaemon(const char *name, absl::FunctionRef<int()> body) {
  sigset_t pending;
  sigpending(&pending);
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "fork");
  if (child == 0) {
    setsid();
    const pid_t daemon = fork();
    if (daemon == 0) BeDaemon(name, body);
    _exit(daemon < 0 ? errno : 0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ForgetChild(pending);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return absl::ErrnoToStatus(WIFEXITED(status) ? WEXITSTATUS(status) : EINTR,
                               "start the process that follows the kernel");
  return absl::OkStatus();
}

}  // namespace srcsel
