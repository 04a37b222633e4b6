// The shape of the Internet's routing tables in autumn 2025: 901,899 IPv4 and 160,064 IPv6
// prefixes, as counts alone. There is no prefix in it; draw_table.hh draws some that are
// distributed alike.

#pragma once

#include <cstdint>
#include <span>

namespace srcsel::bench {

// So many prefixes of a length have, as the longest prefix that covers them, one of length
// `parent`; 0: nothing covers them.
struct CoverCount {
  std::uint8_t length, parent;
  std::uint32_t count;
};

// So many prefixes that nothing covers begin with these bits.
struct RootCount {
  std::uint16_t bits;
  std::uint32_t count;
};

struct Shape {
  int family;
  std::uint32_t total;
  std::span<const CoverCount> covers;  // by length, ascending
  int root_bits;                       // how many bits a root is
  std::span<const RootCount> roots;
  // By length: of a hundred prefixes, how many follow upon one that is in the table too.
  std::span<const std::uint8_t> runs;
};

extern const Shape kInternet4, kInternet6;

}  // namespace srcsel::bench
