// Where hooks are measured: a namespace that has nothing but a loopback device and a default route,
// a cgroup, and a process in both that opens sockets. A SYN ends there as a martian, a datagram as
// well.

#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "lab/cgroup.hh"
#include "lab/host.hh"

namespace srcsel::bench {

enum class Hook {
  kConnect,   // connect4, TCP
  kDatagram,  // sendmsg4
};

enum class Sockets {
  kMany,  // a new one for each call
  kOne,   // for all of them
};

class Stage {
 public:
  static absl::StatusOr<Stage> Create();

  const Fd &cgroup() const { return directory_; }

  // SO_NETNS_COOKIE of its sockets.
  absl::StatusOr<std::uint64_t> Cookie() const;

  // Nanoseconds a run of that program, which is attached to the cgroup, while sockets are connected
  // to a thousand random addresses, or send a datagram there: the mean of the thousand, the least
  // of twenty times.
  absl::StatusOr<double> Time(Hook hook, Sockets sockets, std::string_view program) const;

 private:
  Stage(lab::Host host, lab::TestCgroup cgroup, Fd directory)
      : host_(std::move(host)), cgroup_(std::move(cgroup)), directory_(std::move(directory)) {}

  lab::Host host_;
  lab::TestCgroup cgroup_;
  Fd directory_;
};

}  // namespace srcsel::bench
