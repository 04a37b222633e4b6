// bench_routes [--json FILE] [--benchmark_...]: what a lookup costs, and what it takes to be able
// to make one, in tables of the Internet's shape.
//
// Of each size: Select() and Lookup() under ten rules, independent (the addresses are known before)
// and dependent (which address comes next hangs on the last answer), against the kernel's own
// answer (RTM_GETROUTE), a hash table a prefix length and, if built with it, DPDK's rte_fib one
// address at a time; the images for hooks and for lookups, the snapshot, and the mirror from
// nothing: all state read from the kernel and made ready; an image published until a hook decides
// by it, and a route changed in the kernel until Select() or a hook goes by that. Addresses are
// drawn in prefixes.

#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "absl/strings/str_cat.h"
#include "bench/google.hh"
#include "bench/routes/builds.hh"
#include "bench/routes/effects.hh"
#include "bench/routes/ways.hh"

namespace srcsel::bench {
namespace {

const Size kSizes[] = {
    {"IPv4/1k", kInternet4, 1'000},     {"IPv4/100k", kInternet4, 100'000},
    {"IPv4/950k", kInternet4, 950'000}, {"IPv6/1k", kInternet6, 1'000},
    {"IPv6/220k", kInternet6, 220'000},
};

// A call through std::function, 2 ns, is in all figures alike.
void Time(benchmark::State &state, const Host &host, const Answer &answer, bool dependent) {
  const std::vector<IpAddress> &addresses = host.addresses();
  std::size_t i = 0;
  for (auto _ : state) {
    const std::uint64_t hop = answer(addresses[i % addresses.size()]);
    benchmark::DoNotOptimize(hop);
    i += dependent ? 1 + hop % 2 : 1;
  }
}

void Register(const Size &size) {
  for (const Way &way : Ways())
    for (const bool dependent : {false, true})
      benchmark::RegisterBenchmark(
          absl::StrCat(way.name, "/", dependent ? "dependent/" : "independent/", size.name).c_str(),
          [&size, way, dependent](benchmark::State &state) {
            static const Size *checked = nullptr;
            if (std::exchange(checked, &size) != &size) CheckAgreement(size);
            Time(state, HostOf(size), way.make(size), dependent);
          });
  const std::pair<const char *, void (*)(benchmark::State &, const Size &)> kBuilds[] = {
      {"compile_for_hooks/", CompileForHooks},
      {"compile_for_lookups/", CompileForLookups},
      {"snapshot/", MakeSnapshot},
      {"mirror/", Mirror}};
  for (const auto &[name, run] : kBuilds)
    benchmark::RegisterBenchmark(absl::StrCat(name, size.name).c_str(),
                                 [&size, run](benchmark::State &state) { run(state, size); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime()
        ->MeasureProcessCPUTime();
  const std::pair<const char *, void (*)(benchmark::State &, const Size &)> kEffects[] = {
      {"publish/", Publish},
      {"change_to_select/", ChangeToSelect},
      {"change_to_hook/", ChangeToHook}};
  for (const auto &[name, run] : kEffects)
    benchmark::RegisterBenchmark(absl::StrCat(name, size.name).c_str(),
                                 [&size, run](benchmark::State &state) { run(state, size); })
        ->Unit(benchmark::kMillisecond)
        ->UseManualTime();
}

}  // namespace

int Main(int argc, char **argv) {
  for (const Size &size : kSizes) Register(size);
  return RunRegistered(argc, argv);
}

}  // namespace srcsel::bench

int main(int argc, char **argv) {
  return srcsel::bench::Main(argc, argv);
}
