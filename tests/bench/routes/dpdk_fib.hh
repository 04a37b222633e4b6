// DPDK's rte_fib (DIR-24-8) and rte_fib6 (trie), as their manual shows them: what a table lookup of
// ours is measured against. Only where pkg-config finds libdpdk.
//
// Without huge pages, devices and files. Errors name DPDK's.

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/routes/draw_table.hh"

struct rte_fib;
struct rte_fib6;

namespace srcsel::bench {

class DpdkFib {
 public:
  static absl::StatusOr<std::unique_ptr<DpdkFib>> Make(const std::vector<DrawnRoute> &table);
  ~DpdkFib();
  DpdkFib(const DpdkFib &) = delete;
  DpdkFib &operator=(const DpdkFib &) = delete;

  // One at a time: the hop; kHops if nothing matches.
  std::uint64_t Find(const IpAddress &address) const;

 private:
  DpdkFib() = default;
  absl::Status Fill(const std::vector<DrawnRoute> &table);

  rte_fib *fib4_ = nullptr;
  rte_fib6 *fib6_ = nullptr;
};

}  // namespace srcsel::bench
