// What a hook takes for one action, as rules and prefixes grow. The image is compiled from a
// synthetic host and policy.

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "bench/hooks/stage.hh"

namespace srcsel::bench {

enum class Action {
  kMark,    // mark the socket
  kMarked,  // leave the mark that it has: every datagram of a socket but the first
  kSource,  // bind a fixed source
  kTables,  // bind the source that the tables give for a mark
  kPool,    // bind one of three sources, by the destination's hash
  kPorts,   // bind a source and one of 10,000 ports
};

// "mark", "marked", "source", "tables", "pool", "ports"
std::string NameOf(Action action);

// What the action is measured with.
Sockets SocketsOf(Action action);

struct Scale {
  int policy_rules = 1;
  int prefixes = 0;  // in the policy's destinations; with kTables, as many routes, too
};

// Nanoseconds a run of the hook.
absl::StatusOr<double> HookCost(Hook hook, Action action, Scale scale);

}  // namespace srcsel::bench
