// The IPv6 addresses that a route without a source of its own may be given, and why one of them is
// before the next: RFC 6724 as the engine scores it (engine/source6.h).
//
// Pure. Cost: that of the engine, and a sort.

#pragma once

#include <cstdint>
#include <vector>

#include "lookup/snapshot.hh"
#include <srcsel/address.hh>

namespace srcsel {

struct RankedSource {
  IpAddress address;
  std::uint32_t ifindex = 0;
  std::uint64_t score = 0;  // enum srcsel_score
};

// The candidates, best first; of equals the kernel takes the first.
std::vector<RankedSource> RankSources6(const Snapshot &snapshot, const IpAddress &destination,
                                       std::uint32_t oif, std::uint32_t prefer);

// The first rule by which `better` is before `other`, in words: "RFC 6724 rule 2, a scope that
// fits"; of equals, that it comes first.
const char *WhyBefore(const RankedSource &better, const RankedSource &other);

}  // namespace srcsel
