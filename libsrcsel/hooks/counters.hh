// How often each reason was the reason, for the hooks on a cgroup.

#pragma once

#include <array>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.hh"
#include <srcsel/abi.h>

namespace srcsel {

using Counters = std::array<std::uint64_t, SRCSEL_WHY_COUNT>;

// Sums over processors and over all of our programs attached to exactly this cgroup. kNotFound if
// there are none.
absl::StatusOr<Counters> ReadCounters(const Fd &cgroup);

// Adds what the programs' map of counters holds.
absl::Status AddCounters(const Fd &map, Counters &counters);

}  // namespace srcsel
