// How long it takes until a change has its effect.

#pragma once

#include <benchmark/benchmark.h>

#include "bench/routes/size.hh"

namespace srcsel::bench {

// An image, compiled already, copied to a map and swapped in, until a hook decides by it. The call
// itself returns later (call_ms), when nobody can be reading the old one.
void Publish(benchmark::State &state, const Size &size);
// A route is replaced in the kernel, until a hook binds to the new one's source.
void ChangeToHook(benchmark::State &state, const Size &size);
// The same, until a mirror's Select() gives that source.
void ChangeToSelect(benchmark::State &state, const Size &size);

}  // namespace srcsel::bench
