#include "netfilter/run_program.hh"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/fd.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kLongestRun(10);

std::string FindProgram(const std::string &name) {
  const char *path = getenv("PATH");
  for (absl::string_view folder : absl::StrSplit(
           absl::StrCat(path == nullptr ? "" : path, ":/usr/sbin:/sbin"), ':', absl::SkipEmpty()))
    if (std::string file = absl::StrCat(folder, "/", name); access(file.c_str(), X_OK) == 0)
      return file;
  return "";
}

struct Pipe {
  Fd read, write;
};
absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "make a pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// Reads both to their ends. False: it took too long.
bool Collect(const Pipe &out, const Pipe &err, std::string &printed, std::string &complaint) {
  const auto deadline = Clock::now() + kLongestRun;
  std::array<pollfd, 2> ends{{{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}}};
  std::string *texts[] = {&printed, &complaint};
  std::array<char, 65536> buffer;
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    if (poll(ends.data(), ends.size(), static_cast<int>(left)) < 0 && errno != EINTR) return false;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      const ssize_t bytes = read(ends[i].fd, buffer.data(), buffer.size());
      if (bytes > 0)
        texts[i]->append(buffer.data(), static_cast<std::size_t>(bytes));
      else if (bytes == 0 || errno != EINTR)
        ends[i].fd = -1;
    }
  }
  return true;
}

}  // namespace

absl::StatusOr<std::string> RunProgram(const std::vector<std::string> &arguments) {
  const std::string file = FindProgram(arguments.front());
  if (file.empty())
    return absl::NotFoundError(
        absl::StrCat("run ", arguments.front(), ": there is no such program: install it"));
  const std::string said = absl::StrJoin(arguments, " ");
  SRCSEL_ASSIGN_OR_RETURN(Pipe out, MakePipe());
  SRCSEL_ASSIGN_OR_RETURN(Pipe err, MakePipe());

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
  std::vector<std::string> words = arguments;
  std::vector<char *> argv;
  for (std::string &word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, file.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return absl::ErrnoToStatus(failed, absl::StrCat("run ", said));

  out.write.reset();
  err.write.reset();
  std::string printed, complaint;
  const bool in_time = Collect(out, err, printed, complaint);
  if (!in_time) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) return absl::DeadlineExceededError(absl::StrCat("run ", said, ": takes too long"));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return absl::UnknownError(
        absl::StrCat("run ", said, ": ", complaint.substr(0, complaint.find('\n'))));
  return printed;
}

}  // namespace srcsel
