// The `ip` commands with which a source leaves by its own uplink.

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/way.hh"
#include "state/state.hh"

namespace srcsel {

// "ip rule add from 10.1.0.1 lookup vtab", of a table with which all flows of the way are right: it
// is tried, on a copy of the state. If there is no such table, an `ip route add` that begins one
// stands before it.
//
// Cost: a snapshot for each table that has a route by the uplink.
absl::StatusOr<std::string> CommandsThatSteer(const Way &way, const State &state);

}  // namespace srcsel
