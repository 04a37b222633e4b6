#include "agent/control.hh"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/control_words.hh"
#include "agent/up_command.hh"
#include "agent/up_state.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

constexpr std::size_t kLargestMessage = std::size_t{16} << 20;

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
  const absl::StatusOr<Fd> run = OpenRunDirectory(paths);
  const absl::StatusOr<UpState> state = run.ok() ? ReadUpState(*run) : run.status();
  return absl::UnavailableError(absl::StrCat(
      "the process that follows the kernel is gone: ", UpCommand(state.value_or(UpState())),
      " takes over, srcsel down ends it"));
}

bool IsRoot(const Fd &connection) {
  ucred caller{};
  socklen_t size = sizeof(caller);
  return getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &caller, &size) == 0 &&
         (caller.uid == 0 || caller.uid == geteuid());
}

}  // namespace

absl::StatusOr<Asked> Ask(const UpPaths &paths, const ControlRequest &request) {
  SRCSEL_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(paths));
  Fd connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection || connect(connection.get(), reinterpret_cast<const sockaddr *>(&address),
                             sizeof(address)) != 0) {
    if (errno == ENOENT) return absl::NotFoundError("nothing is up: srcsel up brings it up");
    if (errno == ECONNREFUSED) return Gone(paths);
    return absl::ErrnoToStatus(errno, absl::StrCat("speak to ", address.sun_path));
  }
  if (!Send(connection, WordsOf(request))) return Gone(paths);
  SRCSEL_ASSIGN_OR_RETURN(const std::string text, Receive(connection));
  SRCSEL_ASSIGN_OR_RETURN(ControlAnswer answer, AnswerOfWords(text));
  return Asked{std::move(answer), std::move(connection)};
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
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  SRCSEL_ASSIGN_OR_RETURN(const std::string text, Receive(connection));
  SRCSEL_ASSIGN_OR_RETURN(ControlRequest request, RequestOfWords(text));
  return Caller{std::move(request), std::move(connection)};
}

void ControlSocket::Answer(const Fd &connection, const ControlAnswer &answer) {
  Send(connection, WordsOf(answer));
}

}  // namespace srcsel
