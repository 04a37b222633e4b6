#include "bench/routes/connector.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace srcsel::bench {
namespace {

constexpr int kPatienceMs = 30'000;

struct Told {
  IpAddress source;
  Clock::time_point at;
};

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);

  sockaddr *get() { return reinterpret_cast<sockaddr *>(&address); }
};

Endpoint EndpointOf(const IpAddress &to) {
  constexpr std::uint16_t kPort = 443;
  Endpoint endpoint;
  if (to.is_v4()) {
    sockaddr_in in{.sin_family = AF_INET, .sin_port = htons(kPort), .sin_addr = {}, .sin_zero = {}};
    std::memcpy(&in.sin_addr, to.bytes().data(), sizeof(in.sin_addr));
    std::memcpy(&endpoint.address, &in, endpoint.size = sizeof(in));
  } else {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(kPort);
    std::memcpy(&in6.sin6_addr, to.bytes().data(), sizeof(in6.sin6_addr));
    std::memcpy(&endpoint.address, &in6, endpoint.size = sizeof(in6));
  }
  return endpoint;
}

IpAddress AddressOf(const Endpoint &endpoint) {
  if (endpoint.address.ss_family == AF_INET)
    return IpAddress::FromBytes(AF_INET,
                                &reinterpret_cast<const sockaddr_in &>(endpoint.address).sin_addr);
  return IpAddress::FromBytes(AF_INET6,
                              &reinterpret_cast<const sockaddr_in6 &>(endpoint.address).sin6_addr);
}

// Until the pipe is closed.
void Connect(const IpAddress &to, int tells) {
  Endpoint endpoint = EndpointOf(to);
  IpAddress last;
  for (;;) {
    const Fd socket(::socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    Endpoint own;
    if (connect(socket.get(), endpoint.get(), endpoint.size) != 0) continue;
    if (getsockname(socket.get(), own.get(), &own.size) != 0) return;
    const Told told = {AddressOf(own), Clock::now()};
    if (told.source == last) continue;
    last = told.source;
    if (write(tells, &told, sizeof(told)) != sizeof(told)) return;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connector>> Connector::Start(
    const IpAddress &to, const std::function<absl::Status()> &enter) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "make a pipe");
  Fd read_end(ends[0]), write_end(ends[1]);
  const pid_t parent = getpid(), pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && enter().ok()) Connect(to, write_end.get());
    _exit(1);
  }
  return std::unique_ptr<Connector>(new Connector(pid, std::move(read_end)));
}

Connector::~Connector() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

absl::StatusOr<Clock::time_point> Connector::WaitFor(const IpAddress &source) {
  for (;;) {
    pollfd polled = {tells_.get(), POLLIN, 0};
    if (poll(&polled, 1, kPatienceMs) == 0)
      return absl::DeadlineExceededError(
          absl::StrCat("connect from ", source.ToString(), ": no socket got that source"));
    Told told;
    if (read(tells_.get(), &told, sizeof(told)) != sizeof(told))
      return absl::UnavailableError("connect: the process that does so has ended");
    if (told.source == source) return told.at;
  }
}

}  // namespace srcsel::bench
