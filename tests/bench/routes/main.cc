// bench_routes [--json FILE] [--benchmark_...]: what a lookup costs, and what it takes to be able
// to make one, in tables of the Internet's shape.
//
// Of each size: Select() and Lookup() under ten rules, independent (the addresses are known before)
// and dependent (which address comes next hangs on the last answer), against the kernel's own
// answer (RTM_GETROUTE), a hash table a prefix length and, if built with it, DPDK's rte_fib one
// address at a time; the images for hooks and for lookups, the snapshot, and the mirror from
// nothing: all state read from the kernel and made ready. Addresses are drawn in prefixes.

#include <netinet/in.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "absl/strings/str_cat.h"
#include "bench/routes/hash_per_length.hh"
#include "bench/routes/host.hh"
#include "bench/routes/memory_use.hh"
#include "image/compile.hh"
#include "lookup/select.hh"
#include "netlink/ask_route.hh"
#ifdef SRCSEL_HAVE_DPDK
#include "bench/routes/dpdk_fib.hh"
#endif

namespace srcsel::bench {
namespace {

struct Size {
  const char *name;
  const Shape &shape;
  std::size_t routes;
};

const Size kSizes[] = {
    {"IPv4/1k", kInternet4, 1'000},     {"IPv4/100k", kInternet4, 100'000},
    {"IPv4/950k", kInternet4, 950'000}, {"IPv6/1k", kInternet6, 1'000},
    {"IPv6/220k", kInternet6, 220'000},
};

template <typename T>
T OrDie(absl::StatusOr<T> result) {
  if (result.ok()) return *std::move(result);
  std::cerr << "bench_routes: " << result.status().message() << std::endl;
  std::exit(1);
}

// What is made of a host, for one host at a time: benchmarks run in order of size.
template <typename T>
const T &OfSize(const Size &size, const std::function<std::unique_ptr<T>()> &make) {
  static const Size *of = nullptr;
  static std::unique_ptr<T> made;
  if (of != &size) {
    made.reset();
    made = make();
    of = &size;
  }
  return *made;
}

const Host &HostOf(const Size &size) {
  return OfSize<Host>(size, [&] {
    std::cerr << "bench_routes: making " << size.name << " routes" << std::endl;
    return OrDie(Host::Make(size.shape, size.routes));
  });
}

std::uint64_t Hop(const Outcome &outcome) {
  if (!outcome.gateway) return kHops;
  const IpAddress &gateway = *outcome.gateway;
  return gateway.bytes()[gateway.size() - 1] - 2u;
}

// ---- lookups ----------------------------------------------------------------------------------

using Answer = std::function<std::uint64_t(const IpAddress &)>;

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

Flow FlowTo(const IpAddress &address) {
  Flow flow;
  flow.destination = address;
  flow.source = IpAddress::Any(address.family());
  flow.dport = 443;
  return flow;
}

Answer Selecting(const Host &host) {
  return [&host, flow = FlowTo(host.addresses()[0])](const IpAddress &address) mutable {
    flow.destination = address;
    return Hop(Select(host.snapshot(), flow).outcome);
  };
}

Answer LookingUp(const Host &host) {
  return [&host, flow = FlowTo(host.addresses()[0])](const IpAddress &address) mutable {
    flow.destination = address;
    return Hop(Lookup(host.snapshot(), flow).outcome);
  };
}

Answer AskingTheKernel(const Host &host) {
  auto asker = std::make_shared<RouteAsker>(
      OrDie(lab::Within(host.netns(), [] { return RouteAsker::Open(); })));
  return [asker, flow = FlowTo(host.addresses()[0])](const IpAddress &address) mutable {
    flow.destination = address;
    return Hop(OrDie(asker->Ask(flow)));
  };
}

Answer Hashing(const Size &size) {
  const Host &host = HostOf(size);
  const auto &hash =
      OfSize<HashPerLength>(size, [&] { return std::make_unique<HashPerLength>(host.table()); });
  return [&hash](const IpAddress &address) -> std::uint64_t { return hash.Find(address); };
}

#ifdef SRCSEL_HAVE_DPDK
Answer WithDpdk(const Size &size) {
  const Host &host = HostOf(size);
  const auto &fib = OfSize<DpdkFib>(size, [&] { return OrDie(DpdkFib::Make(host.table())); });
  return [&fib](const IpAddress &address) { return fib.Find(address); };
}
#endif

struct Way {
  const char *name;
  std::function<Answer(const Size &)> make;
};

std::vector<Way> Ways() {
  return {
      {"select", [](const Size &size) { return Selecting(HostOf(size)); }},
      {"lookup", [](const Size &size) { return LookingUp(HostOf(size)); }},
      {"kernel", [](const Size &size) { return AskingTheKernel(HostOf(size)); }},
      {"hash_per_length", Hashing},
#ifdef SRCSEL_HAVE_DPDK
      {"dpdk_fib", WithDpdk},
#endif
  };
}

// All ways must give the same answers before any is timed.
void CheckAgreement(const Size &size) {
  constexpr std::size_t kChecked = 10'000;
  const Host &host = HostOf(size);
  const std::vector<Way> ways = Ways();
  const Answer first = ways[0].make(size);
  for (const Way &way : ways) {
    const Answer answer = way.make(size);
    for (std::size_t i = 0; i < kChecked; ++i) {
      const IpAddress &address = host.addresses()[i];
      if (answer(address) == first(address)) continue;
      std::cerr << "bench_routes: " << size.name << ": " << way.name << " and " << ways[0].name
                << " disagree about " << address.ToString() << std::endl;
      std::exit(1);
    }
  }
}

// ---- what makes lookups possible --------------------------------------------------------------

void CountImage(benchmark::State &state, const Image &image, std::size_t routes) {
  const auto bytes = static_cast<double>(image.bytes().size());
  state.counters["image_MB"] = bytes / 1e6;
  state.counters["bytes_per_prefix"] = bytes / static_cast<double>(routes);
}

// For hooks: the tables one policy rule looks its source up in.
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

// Memory is what the process has more than before: kept, and at its highest.
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

// ---- all of them ------------------------------------------------------------------------------

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
}

}  // namespace

int Main(int argc, char **argv) {
  std::vector<std::string> words(argv, argv + argc);
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    if (words[i] != "--json") continue;
    words[i] = "--benchmark_out=" + words[i + 1];
    words[i + 1] = "--benchmark_out_format=json";
  }
  std::vector<char *> pointers;
  for (std::string &word : words) pointers.push_back(word.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
  for (const Size &size : kSizes) Register(size);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace srcsel::bench

int main(int argc, char **argv) {
  return srcsel::bench::Main(argc, argv);
}
