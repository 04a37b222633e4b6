// Longest prefix match the plain way: a hash table a prefix length, asked from the longest length
// down. What a table lookup of ours is measured against.

#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "bench/routes/draw_table.hh"

namespace srcsel::bench {

class HashPerLength {
 public:
  explicit HashPerLength(const std::vector<DrawnRoute> &table) {
    std::vector<absl::flat_hash_map<IpAddress, std::uint8_t>> all(129);
    for (const DrawnRoute &route : table)
      all[route.dst.length].emplace(route.dst.address, route.hop);
    for (int length = 128; length >= 0; --length)
      if (!all[length].empty()) lengths_.emplace_back(length, std::move(all[length]));
  }

  // The hop; kHops if nothing matches.
  std::uint8_t Find(const IpAddress &address) const {
    for (const auto &[length, hops] : lengths_)
      if (const auto found = hops.find(Prefix{address, length}.Network().address);
          found != hops.end())
        return found->second;
    return kHops;
  }

 private:
  std::vector<std::pair<int, absl::flat_hash_map<IpAddress, std::uint8_t>>> lengths_;
};

}  // namespace srcsel::bench
