// The `ip` commands with which a source leaves by its own uplink.

#pragma once

#include "absl/status/statusor.h"
#include "agent/default_route.hh"
#include "agent/way.hh"
#include "state/state.hh"

namespace srcsel {

// "ip rule add pref 32765 from 10.1.0.1 lookup vtab", the rule of steering_rule.hh, which has the
// cost. If no table leads there, what begins one stands before it (default_route.hh). If the rule
// would take from one by fwmark, what is missing is a place for it.
absl::StatusOr<Commands> CommandsThatSteer(const Way &way, const State &state);

}  // namespace srcsel
