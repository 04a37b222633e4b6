// What a hook takes at least on this machine: programs without an engine (least.bpf.c), measured as
// the hooks are. What the hooks take beyond is theirs.

#pragma once

#include "absl/status/statusor.h"
#include "bench/hooks/hook_cost.hh"

namespace srcsel::bench {

// Nanoseconds a run of a program that does nothing.
absl::StatusOr<double> NothingCost(Hook hook);

// Of one that does nothing but the calls that the action takes.
absl::StatusOr<double> LeastCost(Hook hook, Action action);

}  // namespace srcsel::bench
