// What IPv6 routes that share a nexthop object lend each other.
//
// The kernel keeps the route it made last for a nexthop object, a CPU each, in the object itself,
// and hands it out for whichever of the object's routes is looked up next (rt6_get_pcpu_route() of
// Linux 6.18): with that route's preferred source, device and prefix length. Which one that is
// hangs on the lookups of the past, on that CPU, since anything changed.
//
// Pure. Cost: linear in the routes.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "state/state.hh"

namespace srcsel {

// Where a route takes its source from: its own, or an address chosen for a device.
struct SourceTerms {
  std::optional<IpAddress> source;
  std::uint32_t oif = 0;

  friend bool operator==(const SourceTerms &, const SourceTerms &) = default;
};

class SharedNexthops {
 public:
  explicit SharedNexthops(const State &state);

  // Of all IPv6 routes that may leave by the object, itself or as a member of a group; each once.
  std::span<const SourceTerms> SourcesOf(std::uint32_t id) const;
  // Whether these routes are to prefixes of several lengths.
  bool LengthsDiffer(std::uint32_t id) const;

 private:
  struct Use {
    std::vector<SourceTerms> sources;
    int length;
    bool lengths_differ = false;
  };

  void Note(std::uint32_t id, const SourceTerms &source, int length);

  absl::flat_hash_map<std::uint32_t, Use> uses_;
};

}  // namespace srcsel
