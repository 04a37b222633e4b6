// What connections that stay cost the kernel, way by way.

#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "bench/connect/contender.hh"

namespace srcsel::bench {

struct KernelMemory {
  double bytes_per_connection = 0;  // both ends, by how much the slabs of the whole host grew
  std::size_t conntrack_entries = 0;
};

// Opens `count` TCP connections and keeps them while it measures.
absl::StatusOr<KernelMemory> MeasureMemory(Way way, std::uint32_t count);

}  // namespace srcsel::bench
