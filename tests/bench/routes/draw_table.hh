// A routing table drawn at random to the shape of a real one (bgp_shape.hh).
//
// Prefixes are drawn by length, shortest first. What nothing covers begins with a root drawn by the
// roots' counts; what is covered lies in an earlier prefix of the right length, mostly in one that
// covers something already. Most share their first 16 bits (IPv6: 32) with earlier ones, and the
// right share follows upon an earlier one. No prefix is there twice.
//
// Pure: the same shape, size and seed give the same table. Cost: 10 us a prefix.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/routes/bgp_shape.hh"
#include <srcsel/address.hh>

namespace srcsel::bench {

struct DrawnRoute {
  Prefix dst;
  std::uint8_t hop;  // 0 to kHops - 1: the first has three in ten, and who is covered goes mostly
                     // the way of what covers it
};

inline constexpr std::uint8_t kHops = 16;

// In the order they were drawn in. A little fewer than `count` if the shape has no place for more.
std::vector<DrawnRoute> DrawTable(const Shape &shape, std::size_t count, std::uint64_t seed);

// Addresses within: a prefix at random, and random bits behind it.
std::vector<IpAddress> DrawAddresses(const std::vector<DrawnRoute> &table, std::size_t count,
                                     std::uint64_t seed);

}  // namespace srcsel::bench
