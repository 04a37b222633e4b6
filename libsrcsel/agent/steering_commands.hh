// The `ip` commands with which a source leaves by its own uplink.

#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "agent/default_route.hh"
#include "agent/way.hh"
#include "state/state.hh"

namespace srcsel {

// The table with which all flows of the way are right once `ip rule add from ADDRESS lookup TABLE`
// is there: it is tried, on a copy of the state. Nothing if there is none.
absl::StatusOr<std::optional<std::uint32_t>> TableThatSteers(const Way &way, const State &state);

// "ip rule add from 10.1.0.1 lookup vtab", of that table. If there is none, what begins one stands
// before it (default_route.hh).
//
// Cost: a snapshot for each table that has a route by the uplink.
absl::StatusOr<Commands> CommandsThatSteer(const Way &way, const State &state);

}  // namespace srcsel
