// The routes of one prefix in the order in which a lookup of that prefix tries them: the fib_alias
// list of fib_table_lookup(); rt6_select() and find_rr_leaf() for IPv6.
//
// Thread-compatible. Cost: linear in the prefix's routes and their paths.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "image/paths.hh"
#include "image/prefix_rows.hh"
#include "image/route_chains.hh"
#include "state/state.hh"

namespace srcsel {

struct Aliases {
  std::vector<srcsel_route> all;        // every usable route
  std::vector<srcsel_route> reachable;  // IPv6: without those whose gateways have all failed
  bool some_failed = false;             // whether these two differ
  // IPv4: a nexthop object that cannot be used hides what follows of its prefix, and of shorter
  // ones with the same address, which fib_trie.c keeps in one leaf.
  bool ends_leaf = false;

  // IPv6, of a prefix that has routes for certain sources: all of them only hold for those. The
  // kernel's fib6_node_lookup() comes by the prefix's other routes only if one of these fits; but
  // it does so on its way back from a longer prefix, and ends up at the default in any case.
  // The widest of those sources, indexes into RouteChains::froms(); empty: it is no such prefix.
  std::vector<std::uint32_t> gates;
  std::vector<srcsel_route> gated_all, gated_reachable;
};

class AliasMaker {
 public:
  AliasMaker(const State &state, const std::vector<Paths> &paths, RouteChains &chains,
             std::vector<std::vector<std::uint32_t>> &rotations)
      : state_(state), paths_(paths), chains_(chains), rotations_(rotations) {}

  // `rows` are of one prefix. What holds for flows bound to `oif`; for those of no device if 0; if
  // SRCSEL_NONE, for those of a device that no route has.
  Aliases Make(int family, std::span<const PrefixRow> rows, std::uint32_t oif);

 private:
  struct Candidate;

  std::vector<Candidate> Candidates4(std::span<const PrefixRow> rows, std::uint32_t oif,
                                     bool &ends_leaf) const;
  std::vector<Candidate> Candidates6(std::span<const PrefixRow> rows, std::uint32_t oif);
  std::uint32_t LowestMetric(std::span<const PrefixRow> rows, const Prefix &src) const;
  std::vector<Prefix> GatesOf(std::span<const PrefixRow> rows) const;
  void AddGated(std::span<const Prefix> gates, Aliases &aliases);
  void AddRotation(std::span<const PrefixRow> rows, const Candidate &found,
                   std::vector<srcsel_route> &out);
  srcsel_route RouteOf(const Candidate &candidate, std::uint32_t oif) const;

  const State &state_;
  const std::vector<Paths> &paths_;  // by terms
  RouteChains &chains_;
  std::vector<std::vector<std::uint32_t>> &rotations_;
  absl::flat_hash_map<std::uint64_t, std::uint32_t> ranks_;
};

}  // namespace srcsel
