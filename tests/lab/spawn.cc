#include "lab/spawn.hh"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/status.hh"

namespace srcsel::lab {
namespace {

enum class Step : int { kCgroup, kNetns, kDirectory, kExec };

// What the child reports through a pipe when it could not become the program.
struct Failure {
  Step step;
  int error;
};

// Everything the child needs, ready before vfork(): afterwards only async-signal-safe calls are
// allowed.
struct Plan {
  pid_t parent;
  const char *cgroup_procs;  // null: stay
  int netns;
  const char *cwd;  // null: stay
  char *const *argv;
  char *const *envp;
  int in, out, err, report;
};

bool JoinCgroup(const char *procs) {
  const int fd = open(procs, O_WRONLY | O_CLOEXEC);
  return fd >= 0 && write(fd, "0", 1) == 1;
}

[[noreturn]] void Fail(const Plan &plan, Step step) {
  const Failure failure{step, errno};
  if (write(plan.report, &failure, sizeof(failure)) < 0) _exit(127);
  _exit(126);
}

[[noreturn]] void Become(const Plan &plan) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) _exit(126);
  if (plan.cgroup_procs && !JoinCgroup(plan.cgroup_procs)) Fail(plan, Step::kCgroup);
  if (plan.netns >= 0 && setns(plan.netns, CLONE_NEWNET) != 0) Fail(plan, Step::kNetns);
  if (plan.cwd && chdir(plan.cwd) != 0) Fail(plan, Step::kDirectory);
  dup2(plan.in, STDIN_FILENO);
  dup2(plan.out, STDOUT_FILENO);
  dup2(plan.err, STDERR_FILENO);
  execvpe(plan.argv[0], plan.argv, plan.envp);
  Fail(plan, Step::kExec);
}

// Without a copy of this process's memory: with a sanitizer's shadow that took longer than most
// programs run.
pid_t Start(const Plan &plan) {
  const pid_t pid = vfork();
  if (pid == 0) Become(plan);
  return pid;
}

absl::Status Describe(const Failure &failure, const Command &command) {
  switch (failure.step) {
    case Step::kCgroup:
      return absl::ErrnoToStatus(failure.error, absl::StrCat("join cgroup ", command.cgroup));
    case Step::kNetns:
      return absl::ErrnoToStatus(failure.error, "enter network namespace");
    case Step::kDirectory:
      return absl::ErrnoToStatus(failure.error, absl::StrCat("enter directory ", command.cwd));
    case Step::kExec:
      break;
  }
  return absl::ErrnoToStatus(failure.error, absl::StrCat("execute ", command.argv[0]));
}

absl::string_view NameOf(absl::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

std::vector<std::string> Environment(const std::vector<std::string> &additions) {
  std::vector<std::string> all = additions;
  for (char **inherited = environ; *inherited; ++inherited) {
    const bool replaced = std::any_of(additions.begin(), additions.end(), [&](const auto &own) {
      return NameOf(own) == NameOf(*inherited);
    });
    if (!replaced) all.emplace_back(*inherited);
  }
  return all;
}

std::vector<char *> Pointers(std::vector<std::string> &words) {
  std::vector<char *> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string &word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

absl::Status SetNonblocking(const Fd &fd) {
  if (fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0)
    return absl::ErrnoToStatus(errno, "make a pipe nonblocking");
  return absl::OkStatus();
}

}  // namespace

std::string Command::ToString() const {
  return absl::StrJoin(argv, " ");
}

absl::StatusOr<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "make a pipe");
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

// The wrapper of glibc 2.36 is declared without extern "C".
Fd OpenPidfd(pid_t pid) {
  return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

absl::StatusOr<Child> Spawn(const Command &command, const Fd &input) {
  if (command.argv.empty()) return absl::InvalidArgumentError("execute a command without words");
  SRCSEL_ASSIGN_OR_RETURN(Pipe out, MakePipe());
  SRCSEL_ASSIGN_OR_RETURN(Pipe err, MakePipe());
  SRCSEL_ASSIGN_OR_RETURN(Pipe report, MakePipe());
  SRCSEL_RETURN_IF_ERROR(SetNonblocking(out.read));
  SRCSEL_RETURN_IF_ERROR(SetNonblocking(err.read));

  std::vector<std::string> words = command.argv;
  std::vector<std::string> variables = Environment(command.env);
  const std::vector<char *> argv = Pointers(words);
  const std::vector<char *> envp = Pointers(variables);
  const std::string procs = absl::StrCat(command.cgroup, "/cgroup.procs");
  const Plan plan{.parent = getpid(),
                  .cgroup_procs = command.cgroup.empty() ? nullptr : procs.c_str(),
                  .netns = command.netns,
                  .cwd = command.cwd.empty() ? nullptr : command.cwd.c_str(),
                  .argv = argv.data(),
                  .envp = envp.data(),
                  .in = input.get(),
                  .out = out.write.get(),
                  .err = err.write.get(),
                  .report = report.write.get()};

  const pid_t pid = Start(plan);
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");

  report.write.reset();
  Failure failure;
  if (read(report.read.get(), &failure, sizeof(failure)) == sizeof(failure)) {
    waitpid(pid, nullptr, 0);
    return Describe(failure, command);
  }
  Child child{pid, OpenPidfd(pid), std::move(out.read), std::move(err.read)};
  if (child.pidfd) return child;
  const absl::Status status = absl::ErrnoToStatus(errno, "open a pidfd");
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  return status;
}

}  // namespace srcsel::lab
