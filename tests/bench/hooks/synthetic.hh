// A host and policies of any size, made up: what hooks are measured with.

#pragma once

#include <cstdint>

#include "bench/hooks/hook_cost.hh"
#include "policy/policy.hh"
#include "state/state.hh"

namespace srcsel::bench {

// Loopback, a default route, a table for mark 100, and `routes` more in main.
State SyntheticHost(std::uint64_t netns, int routes);

// Rules of the same action. All but the last have their share of the prefixes, nested ones the same
// rule, as operators' lists of networks are; without prefixes they select by destination port. The
// last holds for every flow to port 443. One for datagrams always names a destination: else sockets
// were marked as they are made, and not by the hook that is measured.
Policy SyntheticPolicy(Hook hook, Action action, const Scale &scale);

}  // namespace srcsel::bench
