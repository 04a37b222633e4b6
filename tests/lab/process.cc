#include "lab/process.hh"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.hh"

namespace srcsel::lab {
namespace {

absl::Status WriteAll(const Fd &fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd.get(), text.data(), text.size());
    if (written < 0) return absl::ErrnoToStatus(errno, "write to stdin of a command");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

std::string Result::ToString() const {
  const std::string end = timed_out ? "still running at the deadline"
                          : signal  ? absl::StrCat("killed by signal ", signal)
                                    : absl::StrCat("exit status ", status);
  return absl::StrCat(end, "\n", out, err);
}

absl::StatusOr<Result> RunCommand(const Command &command, Deadline deadline) {
  const Fd input(memfd_create("stdin", MFD_CLOEXEC));
  if (!input) return absl::ErrnoToStatus(errno, "make a file in memory");
  SRCSEL_RETURN_IF_ERROR(WriteAll(input, command.input));
  lseek(input.get(), 0, SEEK_SET);
  SRCSEL_ASSIGN_OR_RETURN(Child child, Spawn(command, input));
  return Process(std::move(child)).Wait(deadline);
}

absl::StatusOr<Process> Process::Start(const Command &command) {
  SRCSEL_ASSIGN_OR_RETURN(Pipe input, MakePipe());
  SRCSEL_ASSIGN_OR_RETURN(Child child, Spawn(command, input.read));
  return Process(std::move(child), std::move(input));
}

Process::Process(Child child, Pipe input)
    : pid_(child.pid),
      pidfd_(std::move(child.pidfd)),
      input_(std::move(input)),
      out_{std::move(child.out)},
      err_{std::move(child.err)} {}

Process::~Process() {
  if (!running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

absl::Status Process::Write(absl::string_view text) const {
  return WriteAll(input_.write, text);
}

absl::StatusOr<std::string> Process::WaitForLine(absl::string_view part, Deadline deadline) {
  std::string line;
  while (true) {
    if (out_.TakeLine(part, &line) || err_.TakeLine(part, &line)) return line;
    if (!running() || deadline.Passed()) break;
    Pump(deadline);
  }
  return absl::DeadlineExceededError(
      absl::StrCat("wait for a line with '", part, "' from process ", pid_, ", which ",
                   running() ? "runs" : "has ended", ": ", out_.text, err_.text));
}

void Process::ReadOn() {
  out_.Drain();
  err_.Drain();
}

absl::Status Process::Signal(int number) {
  if (!running()) return absl::FailedPreconditionError("signal a process that has ended");
  if (kill(pid_, number) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("signal process ", pid_));
  return absl::OkStatus();
}

Result Process::Wait(Deadline deadline) {
  while (running() && !deadline.Passed()) Pump(deadline);
  Result result = result_;
  result.timed_out = running();
  result.out = out_.text;
  result.err = err_.text;
  return result;
}

void Process::Pump(const Deadline &deadline) {
  pollfd fds[] = {
      {pidfd_.get(), POLLIN, 0}, {out_.fd.get(), POLLIN, 0}, {err_.fd.get(), POLLIN, 0}};
  if (poll(fds, std::size(fds), deadline.PollTimeout()) <= 0) return;
  if (fds[0].revents) Reap();
  out_.Drain();
  err_.Drain();
}

void Process::Reap() {
  siginfo_t end{};
  if (waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &end, WEXITED) != 0) return;
  if (end.si_code == CLD_EXITED)
    result_.status = end.si_status;
  else
    result_.signal = end.si_status;
  pidfd_.reset();
}

void Process::Stream::Drain() {
  char bytes[16384];
  while (fd) {
    const ssize_t size = read(fd.get(), bytes, sizeof(bytes));
    if (size < 0) return;
    if (size == 0) return fd.reset();
    text.append(bytes, static_cast<std::size_t>(size));
  }
}

bool Process::Stream::TakeLine(absl::string_view part, std::string *line) {
  for (std::size_t start = seen, end; (end = text.find('\n', start)) != std::string::npos;
       start = end + 1) {
    if (!absl::StrContains(absl::string_view(text).substr(start, end - start), part)) continue;
    *line = text.substr(start, end - start);
    seen = end + 1;
    return true;
  }
  return false;
}

}  // namespace srcsel::lab
