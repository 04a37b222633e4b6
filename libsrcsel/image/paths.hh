// The paths of a route: each nexthop a packet may leave by, whether it can be used now, and the
// source it implies.
//
// Nexthops may be the route's own, those of a nexthop object, or of the members of a group.
//
// Thread-compatible. Cost: computed once for each distinct terms.

#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "image/shared_nexthops.hh"
#include "state/state.hh"
#include <srcsel/address.hh>

namespace srcsel {

struct Path {
  std::uint32_t oif = 0;
  std::optional<IpAddress> gateway = {};
  std::optional<IpAddress> source =
      {};  // absent where the destination decides: IPv6, and RTN_LOCAL
  // What the source may be as well, where it hangs on something the kernel does not show.
  std::vector<IpAddress> other_sources = {};
  // IPv4, of several nexthops: what the kernel keeps for this one, one of these, or what is no
  // longer there (KeptSources4()). Empty: `source`.
  std::vector<IpAddress> kept_sources = {};
  // The same as other_sources in IPv6, of a nexthop object that several routes share, or of a
  // sibling whose source is hidden: all there are.
  std::vector<SourceTerms> shared_sources = {};
  bool hidden = false;         // it is such a sibling, of which the MTU is hidden, too
  bool shared_length = false;  // such routes are to prefixes of several lengths
  bool usable = true;          // neither dead nor of a link down that is to be ignored
  std::uint32_t group = 0;     // of the link
  std::uint32_t mtu = 0;       // of the route, 0: none
  std::uint32_t weight = 1;
  std::uint32_t id = 0;                         // of the nexthop object, 0: none
  std::optional<std::uint16_t> neighbour = {};  // NUD_* of the gateway; absent: it has no entry

  friend bool operator==(const Path &, const Path &) = default;
};

enum class Choice {
  kSingle,     // one path
  kMultipath,  // RTA_MULTIPATH: hashed among the usable
  kGroup,      // nexthop group: hashed by threshold
  kResilient,  // nexthop group: hashed into buckets
};

struct Paths {
  Choice choice = Choice::kSingle;
  std::vector<Path> all = {};  // empty for blackhole and the like; else in kernel order
  std::vector<std::uint32_t> buckets =
      {};                   // kResilient: index into all by bucket; empty: not known
  bool object = false;      // of a nexthop object
  bool for_source = false;  // of an IPv6 route for certain sources
  bool forbids = false;     // a blackhole nexthop: as if the route were of that type

  // The first that is usable, or null.
  const Path *First() const;
};

class PathFinder {
 public:
  explicit PathFinder(const State &state);

  // `family` of the route.
  Paths Of(const RouteTerms &terms, int family) const;

 private:
  Paths Hops(const RouteTerms &terms, int family) const;
  Path Own(const RouteTerms &terms, int family, const Nexthop &nexthop) const;
  Path Object(const RouteTerms &terms, int family, const NexthopObject &object) const;
  Paths Group(const RouteTerms &terms, int family, const NexthopObject &group) const;
  void FindSource(const RouteTerms &terms, int family, const NexthopObject *object,
                  Path &path) const;
  void Sibling(const RouteTerms &terms, const OwnTerms &own_terms, Path &path) const;
  void FindLink(int family, Path &path) const;

  const State &state_;
  const SharedNexthops shared_;
  absl::flat_hash_map<std::uint32_t, const Link *> links_;
  absl::flat_hash_map<std::uint32_t, const NexthopObject *> objects_;
  absl::flat_hash_map<std::pair<std::uint32_t, IpAddress>, std::uint16_t> neighbours_;
  // The scopes that the source of an IPv4 nexthop object may have been chosen for.
  absl::flat_hash_map<std::uint32_t, std::vector<std::uint8_t>> scopes_;
};

}  // namespace srcsel
