// A process that connects on command: one end of a measurement.
//
// It lives in its own network namespace and cgroup, so that every way of connecting is the same
// program under another host's rules. Between rounds it waits in read(2) and costs nothing.
//
// A connection is socket(), connect() and a close() that resets it, so that no TIME_WAIT piles up.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "lab/endpoint.hh"

namespace srcsel::bench {

struct Round {
  std::int64_t elapsed_ns = 0;              // wall clock for all connections
  std::int64_t cpu_ns = 0;                  // of the process, softirqs in its context included
  std::vector<std::uint32_t> latencies_ns;  // of each connect(2)
};

class Worker {
 public:
  // `cgroup` is a cgroup v2 directory to join, or empty.
  static absl::StatusOr<Worker> Start(const Fd &netns, const std::string &cgroup);
  Worker(Worker &&other) noexcept;
  Worker &operator=(Worker &&) = delete;
  ~Worker();

  // Connects `count` times to the server, one after the other.
  absl::StatusOr<Round> Connect(const lab::Endpoint &server, std::uint32_t count);

 private:
  Worker(pid_t pid, Fd channel) : pid_(pid), channel_(std::move(channel)) {}

  pid_t pid_ = -1;
  Fd channel_;
};

// A process that accepts on a port of a namespace and closes at once; killed with the object.
class Acceptor {
 public:
  static absl::StatusOr<Acceptor> Start(const Fd &netns, std::uint16_t port);
  Acceptor(Acceptor &&other) noexcept;
  Acceptor &operator=(Acceptor &&) = delete;
  ~Acceptor();

 private:
  explicit Acceptor(pid_t pid) : pid_(pid) {}

  pid_t pid_ = -1;
};

}  // namespace srcsel::bench
