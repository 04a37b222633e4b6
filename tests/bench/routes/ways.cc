#include "bench/routes/ways.hh"

#include <linux/rtnetlink.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <numeric>

#include "bench/routes/hash_per_length.hh"
#include "image/key.hh"
#include "lookup/engine.hh"
#include "lookup/select.hh"
#include "netlink/ask_route.hh"
#ifdef SRCSEL_HAVE_DPDK
#include "bench/routes/dpdk_fib.hh"
#endif

namespace srcsel::bench {
namespace {

std::uint64_t HopOf(const IpAddress &gateway) {
  return gateway.bytes()[gateway.size() - 1] - 2u;
}

std::uint64_t Hop(const Outcome &outcome) {
  return outcome.gateway ? HopOf(*outcome.gateway) : kHops;
}

const srcsel_table *TableAt(const Snapshot &snapshot, std::uint32_t index) {
  return static_cast<const srcsel_table *>(
      srcsel_object(snapshot.image(), snapshot.head().tables.page, index, sizeof(srcsel_table)));
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

// The table alone: no rules, no source.
Answer Searching(const Size &size) {
  const Host &host = HostOf(size);
  const Snapshot &snapshot = host.snapshot();
  const srcsel_family family = FamilyOf(host.addresses()[0]);
  std::uint32_t main = 0;
  for (const auto *table = TableAt(snapshot, main);
       table->id != RT_TABLE_MAIN || table->family != static_cast<std::uint32_t>(family);
       table = TableAt(snapshot, main))
    ++main;
  // What is found is a route's number.
  std::vector<std::uint8_t> hops{static_cast<std::uint8_t>(kHops)};
  for (std::uint32_t i = 1; i < snapshot.head().routes.count; ++i) {
    const srcsel_route *route = srcsel_route_at(snapshot.image(), &snapshot.head(), i);
    hops.push_back(static_cast<std::uint8_t>(HopOf(FromWire(family, route->gateway))));
  }
  return [&snapshot, main, hops = std::move(hops)](const IpAddress &address) -> std::uint64_t {
    return hops[FindInTable(snapshot.image(), snapshot.head(), main, KeyOf(address))];
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
  // What is found is a nexthop's number; who forwards by it reads what that stands for.
  std::vector<std::uint8_t> hops(kHops + 1);
  std::iota(hops.begin(), hops.end(), std::uint8_t{0});
  return [&fib, hops = std::move(hops)](const IpAddress &address) -> std::uint64_t {
    return hops[fib.Find(address)];
  };
}
#endif

}  // namespace

std::vector<Way> Ways() {
  return {
      {"select", [](const Size &size) { return Selecting(HostOf(size)); }},
      {"lookup", [](const Size &size) { return LookingUp(HostOf(size)); }},
      {"table", Searching},
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

}  // namespace srcsel::bench
