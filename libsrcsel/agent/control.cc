#include "agent/control.hh"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "agent/control_words.hh"
#include "agent/up_command.hh"
#include "agent/up_pins.hh"
#include "agent/up_state.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLargestMessage = std::size_t{16} << 20;
// For what the process may be busy with: a policy, and a host's whole routing table.
constexpr auto kPatience = std::chrono::minutes(1);

absl::StatusOr<sockaddr_un> AddressOf(const UpPaths &paths) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = paths.run + "/control";
  if (path.size() >= sizeof(address.sun_path))
    return absl::InvalidArgumentError(absl::StrCat(path, " is too long for a socket"));
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// A message ends where its sender has nothing more to say: with a newline.
absl::StatusOr<std::string> Receive(const Fd &connection) {
  std::string text;
  char part[4096];
  while (text.size() < kLargestMessage) {
    const ssize_t got = recv(connection.get(), part, sizeof(part), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return absl::UnavailableError("hear from the other side: it said nothing");
    text.append(part, static_cast<std::size_t>(got));
    if (text.back() == '\n') return text;
  }
  return absl::OutOfRangeError("hear from the other side: it does not end");
}

bool Send(const Fd &connection, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

absl::Status Gone(const UpPaths &paths) {
  const UpState state = ReadUpState(paths).value_or(UpState());
  return absl::UnavailableError(
      absl::StrCat("the process that follows the kernel is gone: ",
                   IsWorthKeeping(state) ? absl::StrCat(UpCommand(state), " takes over, ") : "",
                   "srcsel down ends it"));
}

// Process 0 is one of another pid namespace.
absl::Status DoesNotAnswer(pid_t pid) {
  if (IsStopped(pid))
    return absl::DeadlineExceededError(absl::StrCat(
        "the process that follows the kernel, ", pid,
        ", is stopped and does not answer: kill -CONT ", pid, " lets it go on, kill -KILL ", pid,
        " ends it and leaves the hooks; then say this again"));
  return absl::DeadlineExceededError(absl::StrCat(
      "the process that follows the kernel", pid == 0 ? "" : absl::StrCat(", ", pid, ","),
      " is still at work: what was asked may yet be done, srcsel status shows it"));
}

// Until it comes, the process is found stopped, or the end is there; in steps of a second.
absl::Status Await(pid_t pid, Clock::time_point end,
                   absl::FunctionRef<bool()> comes_within_a_second) {
  do {
    if (comes_within_a_second()) return absl::OkStatus();
  } while (!IsStopped(pid) && Clock::now() < end);
  return DoesNotAnswer(pid);
}

bool IsReadable(const Fd &fd) {
  pollfd polled{fd.get(), POLLIN, 0};
  return poll(&polled, 1, 1000) > 0;
}

ucred PeerOf(const Fd &connection) {
  ucred peer{.pid = 0, .uid = ~uid_t{0}, .gid = ~gid_t{0}};
  socklen_t size = sizeof(peer);
  getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
  return peer;
}

bool IsRoot(const Fd &connection) {
  const uid_t user = PeerOf(connection).uid;
  return user == 0 || user == geteuid();
}

void GiveUpAfter(const Fd &connection, int seconds) {
  const timeval patience{.tv_sec = seconds, .tv_usec = 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

// The error number. Where as many wait as may (EAGAIN), the kernel has waited for SO_SNDTIMEO.
int Connect(const Fd &connection, const sockaddr_un &address) {
  const int result =
      connect(connection.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address));
  return result == 0 ? 0 : errno;
}

// Whoever asks stays to hear the answer.
bool HasLeft(const Fd &connection) {
  char next;
  return recv(connection.get(), &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

}  // namespace

absl::StatusOr<Asked> Ask(const UpPaths &paths, const ControlRequest &request) {
  SRCSEL_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(paths));
  Fd connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection) return absl::ErrnoToStatus(errno, "make a socket");
  GiveUpAfter(connection, 1);
  const Clock::time_point end = Clock::now() + kPatience;
  int error = 0;
  SRCSEL_RETURN_IF_ERROR(Await(ReadUpState(paths).value_or(UpState()).pid, end, [&] {
    error = Connect(connection, address);
    return error != EAGAIN && error != EINTR;
  }));
  if (error == ENOENT && absl::IsNotFound(OpenPins(paths).status()))
    return absl::NotFoundError("nothing is up: srcsel up brings it up");
  if (error == ENOENT || error == ECONNREFUSED) return Gone(paths);
  if (error != 0) return absl::ErrnoToStatus(error, absl::StrCat("speak to ", address.sun_path));
  const pid_t pid = PeerOf(connection).pid;
  // glibc 2.36 has a wrapper, declared without extern "C".
  Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!Send(connection, WordsOf(request))) return Gone(paths);
  SRCSEL_RETURN_IF_ERROR(Await(pid, end, [&] { return IsReadable(connection); }));
  SRCSEL_ASSIGN_OR_RETURN(const std::string text, Receive(connection));
  SRCSEL_ASSIGN_OR_RETURN(ControlAnswer answer, AnswerOfWords(text));
  return Asked{std::move(answer), std::move(connection), std::move(process)};
}

absl::Status AwaitEnd(const Asked &asked) {
  if (!asked.process) return absl::OkStatus();
  return Await(PeerOf(asked.connection).pid, Clock::now() + kPatience,
               [&] { return IsReadable(asked.process); });
}

absl::StatusOr<ControlSocket> ControlSocket::Listen(const UpPaths &paths) {
  SRCSEL_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(paths));
  Fd listening(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  unlink(address.sun_path);
  if (!listening ||
      bind(listening.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address)) != 0 ||
      chmod(address.sun_path, 0600) != 0 || listen(listening.get(), 8) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("listen on ", address.sun_path));
  return ControlSocket(std::move(listening));
}

absl::StatusOr<ControlSocket::Caller> ControlSocket::Accept() const {
  Fd connection(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection) return absl::ErrnoToStatus(errno, "take a call");
  if (!IsRoot(connection)) return absl::PermissionDeniedError("take a call: not root's");
  GiveUpAfter(connection, 1);
  SRCSEL_ASSIGN_OR_RETURN(const std::string text, Receive(connection));
  if (HasLeft(connection)) return absl::AbortedError("take a call: who asked has gone");
  SRCSEL_ASSIGN_OR_RETURN(ControlRequest request, RequestOfWords(text));
  return Caller{std::move(request), std::move(connection)};
}

void ControlSocket::Answer(const Fd &connection, const ControlAnswer &answer) {
  Send(connection, WordsOf(answer));
}

}  // namespace srcsel
