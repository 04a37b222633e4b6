// A random host and random flows on it, compared with the kernel; what disagrees, made small.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "differential/hosts/tally.hh"

namespace srcsel {

struct HostReport {
  Tally tally;
  std::vector<std::string> findings;  // in words: the commands, the flow, both answers
};

// Cost: 0.1 s for 500 flows; seconds for each finding.
absl::StatusOr<HostReport> RunHost(std::uint64_t seed, int flows);

}  // namespace srcsel
