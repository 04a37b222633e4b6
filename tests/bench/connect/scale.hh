// What the hook takes as rules and prefixes grow.
//
// UDP sockets are connected to a thousand random addresses, over and over, in a namespace that has
// nothing but a loopback device and a default route: no packet is sent. The image is compiled from
// a synthetic host.

#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "bench/connect/contender.hh"

namespace srcsel::bench {

struct Scale {
  int policy_rules = 1;
  int prefixes = 0;  // in the policy's destinations, and as many routes in the main table
};

// Nanoseconds a run of connect4; `way` is kMark, kSource or kTables.
absl::StatusOr<double> HookTimeAt(Way way, Scale scale);

}  // namespace srcsel::bench
