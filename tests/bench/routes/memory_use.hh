// How much memory of its own this process uses.

#pragma once

#include <cstdint>

namespace srcsel::bench {

// Bytes in anonymous pages now, after free ones have gone back to the kernel.
std::uint64_t MemoryInUse();

// Starts to watch for the highest use from now on; MemoryPeak() is what it has been.
void ResetMemoryPeak();
std::uint64_t MemoryPeak();

}  // namespace srcsel::bench
