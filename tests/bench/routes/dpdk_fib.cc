#include "bench/routes/dpdk_fib.hh"

#include <arpa/inet.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_memory.h>

#include <cstdlib>
#include <cstring>
#include <iterator>

#include <rte_fib6.h>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "lab/temp_dir.hh"

namespace srcsel::bench {
namespace {

// Once a process. What DPDK would leave behind in /run goes with `scratch`.
absl::Status Start() {
  static const lab::TempDir scratch = lab::TempDir::Make().value();
  static const int started = [] {
    setenv("RUNTIME_DIRECTORY", scratch.path().c_str(), 1);
    const char *words[] = {"bench_routes",   "--no-huge", "--no-pci", "--no-shconf",
                           "--no-telemetry", "-m",        "4096",     "--log-level=1"};
    return rte_eal_init(static_cast<int>(std::size(words)), const_cast<char **>(words));
  }();
  if (started < 0) return absl::UnavailableError("start DPDK: rte_eal_init failed");
  return absl::OkStatus();
}

absl::Status Failure(const char *what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", rte_strerror(rte_errno)));
}

std::uint32_t Bits4(const IpAddress &address) {
  std::uint32_t bits;
  std::memcpy(&bits, address.bytes().data(), sizeof(bits));
  return ntohl(bits);
}

}  // namespace

absl::StatusOr<std::unique_ptr<DpdkFib>> DpdkFib::Make(const std::vector<DrawnRoute> &table) {
  SRCSEL_RETURN_IF_ERROR(Start());
  std::unique_ptr<DpdkFib> fib(new DpdkFib);
  const int routes = static_cast<int>(table.size()) + 1024;
  if (table[0].dst.address.is_v4()) {
    rte_fib_conf conf{};
    conf.type = RTE_FIB_DIR24_8;
    conf.default_nh = kHops;
    conf.max_routes = routes;
    conf.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
    conf.dir24_8.num_tbl8 = 1 << 15;
    fib->fib4_ = rte_fib_create("routes4", SOCKET_ID_ANY, &conf);
    if (fib->fib4_ == nullptr) return Failure("rte_fib_create");
  } else {
    rte_fib6_conf conf{};
    conf.type = RTE_FIB6_TRIE;
    conf.default_nh = kHops;
    conf.max_routes = routes;
    conf.trie.nh_sz = RTE_FIB6_TRIE_4B;
    conf.trie.num_tbl8 = 1 << 18;
    fib->fib6_ = rte_fib6_create("routes6", SOCKET_ID_ANY, &conf);
    if (fib->fib6_ == nullptr) return Failure("rte_fib6_create");
  }
  SRCSEL_RETURN_IF_ERROR(fib->Fill(table));
  return fib;
}

absl::Status DpdkFib::Fill(const std::vector<DrawnRoute> &table) {
  for (const DrawnRoute &route : table) {
    const auto length = static_cast<std::uint8_t>(route.dst.length);
    const int added =
        fib4_ ? rte_fib_add(fib4_, Bits4(route.dst.address), length, route.hop)
              : rte_fib6_add(fib6_, route.dst.address.bytes().data(), length, route.hop);
    if (added < 0)
      return absl::UnavailableError(absl::StrCat("add ", route.dst.ToString(), " to rte_fib"));
  }
  return absl::OkStatus();
}

DpdkFib::~DpdkFib() {
  rte_fib_free(fib4_);
  rte_fib6_free(fib6_);
}

std::uint64_t DpdkFib::Find(const IpAddress &address) const {
  std::uint64_t hop = 0;
  if (fib4_ != nullptr) {
    std::uint32_t bits = Bits4(address);
    rte_fib_lookup_bulk(fib4_, &bits, &hop, 1);
  } else {
    std::uint8_t bytes[1][RTE_FIB6_IPV6_ADDR_SIZE];
    std::memcpy(bytes[0], address.bytes().data(), sizeof(bytes[0]));
    rte_fib6_lookup_bulk(fib6_, bytes, &hop, 1);
  }
  return hop;
}

}  // namespace srcsel::bench
