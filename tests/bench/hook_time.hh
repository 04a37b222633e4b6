// Nanoseconds a hook takes, by the kernel's own BPF run-time statistics.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/fd.hh"

namespace srcsel::bench {

// While one lives, the kernel counts and times every BPF program.
absl::StatusOr<Fd> EnableBpfStatistics();

struct HookTime {
  std::uint64_t runs = 0, ns = 0;
  double PerRun() const { return runs ? static_cast<double>(ns) / static_cast<double>(runs) : 0; }
};

// So far, of this program on the cgroup, whose name says its kind: "srcsel_connect4",
// "mark_sendmsg".
absl::StatusOr<HookTime> ReadHookTime(const std::string &cgroup, std::string_view program);

}  // namespace srcsel::bench
