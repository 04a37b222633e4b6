// What kept hooks have counted, summed over processors.

#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "hooks/counters.hh"
#include "hooks/kept_image.hh"
#include "hooks/pins.hh"
#include <srcsel/abi.h>

namespace srcsel {

struct KeptCounts {
  Counters reasons = {};
  // By number of the rule in its author's policy, as many as the image has.
  std::vector<srcsel_tally> rules = {};
  std::uint64_t dropped = 0;  // events for which the ring had no room
};

// The image, which must be ours, says what the rows of tallies mean. Decisions taken meanwhile may
// be in one count and not in another.
absl::StatusOr<KeptCounts> ReadKeptCounts(const Pins &pins, const KeptImage &image);

// KeptCounts::dropped alone.
absl::StatusOr<std::uint64_t> ReadDropped(const Pins &pins);

}  // namespace srcsel
