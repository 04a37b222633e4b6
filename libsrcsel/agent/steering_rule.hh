// The ip rule by which a source leaves by its own uplink, "from ADDRESS lookup TABLE", and its
// place among those that are there.
//
// Its place is the last one from which it helps: behind all but the main table's (32766), before
// the first rule that leads a packet of the source, without a mark, elsewhere. So it takes nothing
// from rules by fwmark before that one, nor from any other. Each place and table is tried on a copy
// of the state. If there would still be a rule by fwmark that loses packets to it, it is none.
//
// Pure. Cost: a snapshot for each table that has a route by the uplink and each place tried, mostly
// one, and one more.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "agent/way.hh"
#include "state/state.hh"

namespace srcsel {

struct Steering {
  std::optional<Rule> rule;  // with it all flows of the way are right
  // Where there is none, the one that would be, and the preference of the rule by fwmark that it
  // would take packets from.
  std::optional<Rule> overruling;
  std::uint32_t overruled = 0;
};
absl::StatusOr<Steering> FindSteering(const Way &way, const State &state);

// "pref 32765 from 10.1.0.1 lookup 100", for `ip rule` and `ip rule add`.
std::string SteeringWords(const Rule &rule);

// From the uplink's address to the table, as though nothing stood in the way but what leads the
// first flow elsewhere: for a table that there is not yet.
absl::StatusOr<Rule> UntriedSteering(const Way &way, std::uint32_t table, const State &state);

}  // namespace srcsel
