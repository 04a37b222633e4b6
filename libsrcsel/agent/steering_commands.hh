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

// "ip rule add from 10.1.0.1 lookup vtab", of such a table. If there is none, what begins one
// stands before it (default_route.hh).
//
// The rule takes nothing from rules by fwmark: where one leads what has this source to another way,
// the rule is to go behind them all, "ip rule add pref 32765 from ...".
//
// Cost: two snapshots for each table that has a route by the uplink.
absl::StatusOr<Commands> CommandsThatSteer(const Way &way, const State &state);

}  // namespace srcsel
