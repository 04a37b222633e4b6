// A process that connects on command: one end of a measurement.
//
// It lives in its own network namespace and cgroup, so that every way of connecting is the same
// program under another host's rules. Between rounds it waits in read(2) and costs nothing.
//
// A TCP connection is socket(), connect() and a close() that resets it, so that no TIME_WAIT piles
// up. A UDP exchange is socket(), sendto(), the answer, and close().

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "lab/endpoint.hh"

namespace srcsel::bench {

enum class Transport { kTcp, kUdp };

struct Round {
  std::int64_t elapsed_ns = 0;              // wall clock for all connections
  std::int64_t cpu_ns = 0;                  // of the process, softirqs in its context included
  std::vector<std::uint32_t> latencies_ns;  // of each connect(2) or exchange
};

class Worker {
 public:
  // `cgroup` is a cgroup v2 directory to join, or empty.
  static absl::StatusOr<Worker> Start(const Fd &netns, const std::string &cgroup);
  Worker(Worker &&other) noexcept;
  Worker &operator=(Worker &&) = delete;
  ~Worker();

  // Connects `count` times to the server, one after the other.
  absl::StatusOr<Round> Connect(Transport transport, const lab::Endpoint &server,
                                std::uint32_t count);

  // Makes as many TCP connections and keeps them until it ends.
  absl::Status Hold(const lab::Endpoint &server, std::uint32_t count);

 private:
  Worker(pid_t pid, Fd channel) : pid_(pid), channel_(std::move(channel)) {}
  absl::StatusOr<Round> Obey(std::uint32_t task, const lab::Endpoint &server, std::uint32_t count);

  pid_t pid_ = -1;
  Fd channel_;
};

// A process that accepts on a TCP port of a namespace and closes at once, or keeps what it accepts,
// or answers every datagram; killed with the object. Several may share a port.
class Acceptor {
 public:
  enum class Manner { kClose, kKeep, kAnswer };
  static absl::StatusOr<Acceptor> Start(const Fd &netns, const lab::Endpoint &at, Manner manner);
  Acceptor(Acceptor &&other) noexcept;
  Acceptor &operator=(Acceptor &&) = delete;
  ~Acceptor();

 private:
  explicit Acceptor(pid_t pid) : pid_(pid) {}

  pid_t pid_ = -1;
};

}  // namespace srcsel::bench
