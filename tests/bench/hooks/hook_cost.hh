// What a hook takes for one action, as rules and prefixes grow.
//
// New sockets are connected to a thousand random addresses, over and over, in a namespace that has
// nothing but a loopback device and a default route: a SYN ends there as a martian, a datagram as
// well. The image is compiled from a synthetic host and policy.

#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace srcsel::bench {

enum class Action {
  kMark,    // mark the socket
  kSource,  // bind a fixed source
  kTables,  // bind the source that the tables give for a mark
  kPool,    // bind one of three sources, by the destination's hash
  kPorts,   // bind a source and one of 10,000 ports
};

// "mark", "source", "tables", "pool", "ports"
std::string NameOf(Action action);

enum class Hook {
  kConnect,   // connect4, TCP
  kDatagram,  // sendmsg4
};

struct Scale {
  int policy_rules = 1;
  int prefixes = 0;  // in the policy's destinations; with kTables, as many routes, too
};

// Nanoseconds a run of the hook.
absl::StatusOr<double> HookCost(Hook hook, Action action, Scale scale);

}  // namespace srcsel::bench
