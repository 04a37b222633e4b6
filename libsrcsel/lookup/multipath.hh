// Which path the kernel takes where a route has several, given the flow's hash (flow_hash.hh).
//
// Contract: Linux 6.18. Where the hash is unknown, the candidates are exactly the paths that some
// hash leads to. That may be a single one: an IPv4 route prefers the nexthop that owns the source.
//
// A requested device: IPv4 does not hash then, the first usable nexthop on it is taken. In IPv6 a
// device that is merely preferred constrains nothing here. A strict one constrains siblings, but of
// a group it only asks that some member be on it: the hash may well take another.
//
// Hidden, hence taken for granted: shares were computed anew after every change (the kernel does so
// when routes and carriers change, not when a sysctl does). The source that it keeps for a nexthop
// may be of another day: unless a lookup has just chosen it, whatever may be kept makes candidates.
//
// Pure. Cost: linear in the paths; times their number if the hash is unknown.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "image/paths.hh"
#include "lookup/gateway_state.hh"
#include "lookup/path_choice.hh"
#include <srcsel/address.hh>

namespace srcsel {

using Hash = std::optional<std::uint32_t>;

// The last hash of each path's share; -1 of a path that is not usable. A path takes the hashes up
// to its bound that no path before it takes.
std::vector<std::int32_t> UpperBounds(std::span<const Path> paths);

// An IPv4 route of several nexthops of its own (RTA_MULTIPATH). `source` is the lookup's: 0.0.0.0
// in the first lookup of an unbound socket; before Linux 6.16, where no nexthop is preferred, in
// all. `use_neigh` is net.ipv4.fib_multipath_use_neigh. `sure`: the nexthop that keeps its path's
// source, whatever others keep.
PathChoice ChooseNexthop4(std::span<const Path> paths, const IpAddress &source, bool use_neigh,
                          Hash hash, std::optional<std::size_t> sure = std::nullopt);

// A nexthop group of either family that shares by weight, named by a route. The neighbours are
// asked whatever use_neigh says.
PathChoice ChooseMember(std::span<const Path> paths, Hash hash);

// A resilient nexthop group, by its table of buckets. All members are candidates if it is unknown.
PathChoice ChooseBucket(const Paths &group, Hash hash);

struct SiblingTerms {
  std::uint32_t strict_oif = 0;  // the only device allowed, 0: any
  bool ask_neighbours = true;    // net.ipv6.conf.all.forwarding is 0
};

// Whether the path may be taken at all, hashed or not.
bool SiblingAllowed(const Path &path, const SiblingTerms &terms);

// IPv6 routes of one prefix and metric that share flows (RTA_MULTIPATH), in the order of the dump.
// `match` is the one that was found before hashing: it stands if the hashed one is not allowed.
PathChoice ChooseSibling(std::span<const Path> paths, std::size_t match, const SiblingTerms &terms,
                         Hash hash);

}  // namespace srcsel
