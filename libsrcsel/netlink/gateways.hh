// The gateways of a State's routes and nexthop objects, and how each neighbour was when it was
// read: what tells a change of a neighbour that may move routes from the many that do not.
//
// A gateway's neighbour counts by its class: none, reachable, valid in another way (stale, delay,
// probe, permanent, noarp), incomplete, failed, or an entry without a state. Within a class the
// kernel treats all alike.
//
// Cost: made in one pass over the terms of the routes, not over the routes; a question is one look
// into a hash table.

#pragma once

#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "state/state.hh"
#include <srcsel/address.hh>

namespace srcsel {

class Gateways {
 public:
  Gateways() = default;  // none
  explicit Gateways(const State &state);

  // Whether that neighbour, as it is now, is a gateway and of another class than it was.
  bool Differs(const Neighbour &now) const;
  // Whether a gateway's entry is gone that was there.
  bool DiffersWithout(const Neighbour &gone) const;

 private:
  enum class Class : std::uint8_t { kNone, kStateless, kIncomplete, kReachable, kValid, kFailed };
  using Key = std::pair<std::uint32_t, IpAddress>;

  static Class ClassOf(const Neighbour &neighbour);
  bool DiffersFrom(const Neighbour &neighbour, Class now) const;

  absl::flat_hash_map<Key, Class> classes_;
};

}  // namespace srcsel
