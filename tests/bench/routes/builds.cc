#include "bench/routes/builds.hh"

#include <utility>

#include "bench/routes/memory_use.hh"
#include "image/compile.hh"

namespace srcsel::bench {
namespace {

void CountImage(benchmark::State &state, const Image &image, std::size_t routes) {
  const auto bytes = static_cast<double>(image.bytes().size());
  state.counters["image_MB"] = bytes / 1e6;
  state.counters["bytes_per_prefix"] = bytes / static_cast<double>(routes);
}

}  // namespace

void CompileForHooks(benchmark::State &state, const Size &size) {
  const Host &host = HostOf(size);
  PolicyRule rule;
  rule.mark = Mark{100, 0xffffffff};
  rule.apply = Apply::kBind;
  const Policy policy{{rule}};
  for (auto _ : state) {
    const Image image = OrDie(Compile(host.snapshot().state(), policy, 1));
    CountImage(state, image, size.routes);
  }
}

void CompileForLookups(benchmark::State &state, const Size &size) {
  const Host &host = HostOf(size);
  for (auto _ : state) {
    const LookupImage compiled = OrDie(CompileForLookup(host.snapshot().state(), {}, 1));
    CountImage(state, compiled.image, size.routes);
  }
}

void MakeSnapshot(benchmark::State &state, const Size &size) {
  const Host &host = HostOf(size);
  for (auto _ : state) {
    state.PauseTiming();
    State copy = host.snapshot().state();
    state.ResumeTiming();
    auto snapshot = OrDie(Snapshot::Make(std::move(copy), 1));
    state.PauseTiming();
    snapshot.reset();
    state.ResumeTiming();
  }
}

void Mirror(benchmark::State &state, const Size &size) {
  const Host &host = HostOf(size);
  for (auto _ : state) {
    state.PauseTiming();
    const std::uint64_t before = MemoryInUse();
    ResetMemoryPeak();
    state.ResumeTiming();
    auto snapshot = OrDie(Snapshot::Make(OrDie(host.Read()), 1));
    state.PauseTiming();
    state.counters["peak_MB"] = static_cast<double>(MemoryPeak() - before) / 1e6;
    state.counters["kept_MB"] = static_cast<double>(MemoryInUse() - before) / 1e6;
    snapshot.reset();
    state.ResumeTiming();
  }
}

}  // namespace srcsel::bench
