// A process that opens UDP sockets to one address without pause, and tells when their source is
// another than before.
//
// Owns the process: it is killed and reaped with this object.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.hh"
#include <srcsel/address.hh>

namespace srcsel::bench {

using Clock = std::chrono::steady_clock;

class Connector {
 public:
  // `enter` is called in the new process, before its first socket.
  static absl::StatusOr<std::unique_ptr<Connector>> Start(
      const IpAddress &to, const std::function<absl::Status()> &enter);
  ~Connector();
  Connector(const Connector &) = delete;
  Connector &operator=(const Connector &) = delete;

  // When the first connect() that got this source had returned. Fails if none does for 30 seconds.
  absl::StatusOr<Clock::time_point> WaitFor(const IpAddress &source);

 private:
  Connector(int pid, Fd tells) : pid_(pid), tells_(std::move(tells)) {}

  const int pid_;
  const Fd tells_;
};

}  // namespace srcsel::bench
