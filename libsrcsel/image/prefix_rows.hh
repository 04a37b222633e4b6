// The routes of one table as rows of a prefix and a number, in the order that tries and chains are
// made in: by address, shorter prefixes first, else as they were.
//
// Cost: one pass if the rows come ordered by address, as IPv4 routes are dumped; else a sort.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <srcsel/abi.h>

namespace srcsel {

struct PrefixRow {
  srcsel_key key;       // host bits clear
  std::uint32_t terms;  // number of the route's terms
  std::uint8_t length;
  bool merged = false;  // of the local table, where a longer prefix of main may go first

  bool SameAddress(const PrefixRow &other) const {
    return key.hi == other.key.hi && key.lo == other.key.lo;
  }
  bool SamePrefix(const PrefixRow &other) const {
    return SameAddress(other) && length == other.length;
  }
  bool Covers(const PrefixRow &other) const {
    const srcsel_key differ = {key.hi ^ other.key.hi, key.lo ^ other.key.lo};
    if (length > other.length) return false;
    if (length <= 64) return length == 0 || differ.hi >> (64 - length) == 0;
    return differ.hi == 0 && differ.lo >> (128 - length) == 0;
  }
};

void Order(std::vector<PrefixRow> &rows);

// The rows of the prefix that the first one has.
std::span<const PrefixRow> FirstPrefix(std::span<const PrefixRow> rows);

}  // namespace srcsel
