#include "bench/connect/worker.hh"

#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/netns.hh"
#include "base/status.hh"
#include "lab/netns.hh"

namespace srcsel::bench {
namespace {

enum class Task : std::uint32_t { kConnect, kExchange, kHold };

struct Order {
  sockaddr_in server;
  std::uint32_t count;
  Task task;
};

struct Summary {
  std::int64_t elapsed_ns, cpu_ns;
  std::int32_t error;
};

std::int64_t Now(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

bool Transfer(int fd, void *data, std::size_t size, ssize_t (*call)(int, void *, std::size_t)) {
  auto *at = static_cast<char *>(data);
  while (size > 0) {
    const ssize_t done = call(fd, at, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    at += done;
    size -= static_cast<std::size_t>(done);
  }
  return true;
}

bool ReadAll(int fd, void *data, std::size_t size) {
  return Transfer(fd, data, size, read);
}

bool WriteAll(int fd, const void *data, std::size_t size) {
  return Transfer(fd, const_cast<void *>(data), size,
                  [](int to, void *from, std::size_t n) { return write(to, from, n); });
}

sockaddr_in Ipv4(const lab::Endpoint &endpoint) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(endpoint.port);
  std::memcpy(&out.sin_addr, endpoint.address.bytes().data(), 4);
  return out;
}

int ConnectTcp(int fd, const sockaddr_in &server) {
  return connect(fd, reinterpret_cast<const sockaddr *>(&server), sizeof(server)) == 0 ? 0 : errno;
}

int ConnectOnce(const sockaddr_in &server, std::uint32_t &latency_ns) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const std::int64_t start = Now(CLOCK_MONOTONIC);
  const int error = ConnectTcp(fd, server);
  latency_ns = static_cast<std::uint32_t>(Now(CLOCK_MONOTONIC) - start);
  const linger reset = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  close(fd);
  return error;
}

int ExchangeOnce(const sockaddr_in &server, std::uint32_t &latency_ns) {
  char answer = 0;
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const timeval patience = {5, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  const std::int64_t start = Now(CLOCK_MONOTONIC);
  const bool done =
      sendto(fd, "?", 1, 0, reinterpret_cast<const sockaddr *>(&server), sizeof(server)) == 1 &&
      recv(fd, &answer, 1, 0) == 1;
  const int error = done ? 0 : errno;
  latency_ns = static_cast<std::uint32_t>(Now(CLOCK_MONOTONIC) - start);
  close(fd);
  return error;
}

int HoldOne(const sockaddr_in &server, std::uint32_t & /*unused*/) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return fd < 0 ? errno : ConnectTcp(fd, server);
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

[[noreturn]] void Work(int channel) {
  Order order;
  std::vector<std::uint32_t> latencies;
  RaiseDescriptorLimit();
  while (ReadAll(channel, &order, sizeof(order))) {
    const auto once = order.task == Task::kConnect    ? ConnectOnce
                      : order.task == Task::kExchange ? ExchangeOnce
                                                      : HoldOne;
    latencies.assign(order.count, 0);
    Summary summary{};
    const std::int64_t start = Now(CLOCK_MONOTONIC), cpu = Now(CLOCK_PROCESS_CPUTIME_ID);
    for (std::uint32_t i = 0; i < order.count && summary.error == 0; ++i)
      summary.error = once(order.server, latencies[i]);
    summary.elapsed_ns = Now(CLOCK_MONOTONIC) - start;
    summary.cpu_ns = Now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (!WriteAll(channel, &summary, sizeof(summary)) ||
        !WriteAll(channel, latencies.data(), latencies.size() * sizeof(latencies[0])))
      break;
  }
  _exit(0);
}

[[noreturn]] void Accept(int listener, bool keep) {
  RaiseDescriptorLimit();
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0 && !keep) close(fd);
  }
}

[[noreturn]] void Answer(int fd) {
  for (;;) {
    char question;
    sockaddr_in peer{};
    socklen_t size = sizeof(peer);
    if (recvfrom(fd, &question, 1, 0, reinterpret_cast<sockaddr *>(&peer), &size) == 1)
      sendto(fd, "!", 1, 0, reinterpret_cast<sockaddr *>(&peer), size);
  }
}

// Forks a child that dies with this process; in the child, `body` runs and does not return.
template <typename Body>
absl::StatusOr<pid_t> ForkBound(Body body) {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid > 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  body();
  _exit(1);
}

void End(pid_t pid) {
  if (pid <= 0) return;
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

}  // namespace

absl::StatusOr<Worker> Worker::Start(const Fd &netns, const std::string &cgroup) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return absl::ErrnoToStatus(errno, "make a socket pair");
  Fd ours(pair[0]);
  const Fd theirs(pair[1]);
  SRCSEL_ASSIGN_OR_RETURN(const pid_t pid, ForkBound([&] {
                            ours.reset();
                            if (!cgroup.empty() && !(std::ofstream(cgroup + "/cgroup.procs") << 0))
                              _exit(1);
                            if (EnterNetns(netns).ok()) Work(theirs.get());
                          }));
  return Worker(pid, std::move(ours));
}

Worker::Worker(Worker &&other) noexcept
    : pid_(std::exchange(other.pid_, -1)), channel_(std::move(other.channel_)) {}

Worker::~Worker() {
  End(pid_);
}

absl::StatusOr<Round> Worker::Obey(std::uint32_t task, const lab::Endpoint &server,
                                   std::uint32_t count) {
  const Order order{Ipv4(server), count, static_cast<Task>(task)};
  Summary summary;
  Round round;
  round.latencies_ns.resize(count);
  if (!WriteAll(channel_.get(), &order, sizeof(order)) ||
      !ReadAll(channel_.get(), &summary, sizeof(summary)) ||
      !ReadAll(channel_.get(), round.latencies_ns.data(), count * sizeof(std::uint32_t)))
    return absl::UnavailableError("the connecting process has ended");
  if (summary.error != 0)
    return absl::ErrnoToStatus(summary.error, absl::StrCat("connect to ", server.ToString()));
  round.elapsed_ns = summary.elapsed_ns;
  round.cpu_ns = summary.cpu_ns;
  return round;
}

absl::StatusOr<Round> Worker::Connect(Transport transport, const lab::Endpoint &server,
                                      std::uint32_t count) {
  const Task task = transport == Transport::kTcp ? Task::kConnect : Task::kExchange;
  return Obey(static_cast<std::uint32_t>(task), server, count);
}

absl::Status Worker::Hold(const lab::Endpoint &server, std::uint32_t count) {
  return Obey(static_cast<std::uint32_t>(Task::kHold), server, count).status();
}

absl::StatusOr<Acceptor> Acceptor::Start(const Fd &netns, const lab::Endpoint &at, Manner manner) {
  const bool datagrams = manner == Manner::kAnswer;
  // Listening before it returns: no connection can come too early.
  absl::StatusOr<Fd> listener = lab::Within(netns, [&]() -> absl::StatusOr<Fd> {
    Fd fd(socket(AF_INET, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
    const sockaddr_in here = Ipv4(at);
    const int shared = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &shared, sizeof(shared));
    if (bind(fd.get(), reinterpret_cast<const sockaddr *>(&here), sizeof(here)) != 0 ||
        (!datagrams && listen(fd.get(), 4096) != 0))
      return absl::ErrnoToStatus(errno, absl::StrCat("listen on ", at.ToString()));
    return fd;
  });
  if (!listener.ok()) return listener.status();
  SRCSEL_ASSIGN_OR_RETURN(const pid_t pid, ForkBound([&] {
                            if (datagrams) Answer(listener->get());
                            Accept(listener->get(), manner == Manner::kKeep);
                          }));
  return Acceptor(pid);
}

Acceptor::Acceptor(Acceptor &&other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Acceptor::~Acceptor() {
  End(pid_);
}

}  // namespace srcsel::bench
