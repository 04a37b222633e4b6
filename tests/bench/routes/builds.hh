// What it takes to be able to make lookups.

#pragma once

#include <benchmark/benchmark.h>

#include "bench/routes/size.hh"

namespace srcsel::bench {

// The image for hooks: the tables that one policy rule looks its source up in.
void CompileForHooks(benchmark::State &state, const Size &size);
// The image for lookups in user space.
void CompileForLookups(benchmark::State &state, const Size &size);
// That, and what a snapshot has besides.
void MakeSnapshot(benchmark::State &state, const Size &size);
// From nothing: all state read from the kernel, and a snapshot of it. Memory is what the process
// has more than before: kept, and at its highest.
void Mirror(benchmark::State &state, const Size &size);

}  // namespace srcsel::bench
