// Routes of the image, each linked to where a lookup goes on if its selectors do not hold.
//
// A chain is written from its end: first what the shorter prefixes hold, then a prefix's own
// routes before it. Behind a route without selectors nothing is ever reached, so nearly all chains
// are one route long; equal ones are stored once.
//
// Not thread-safe. Cost: linear in the routes that have selectors.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include <srcsel/abi.h>

namespace srcsel {

class RouteChains {
 public:
  // Route 0 selects nothing, so that a search that finds none is over.
  RouteChains() { routes_.emplace_back().from = SRCSEL_NONE; }

  // The chain of `routes`, not yet linked, in that order, then `rest`: index of its first route, 0
  // if it is empty.
  std::uint32_t Add(std::span<const srcsel_route> routes, std::uint32_t rest);
  // One chain after the other.
  std::uint32_t Join(std::uint32_t chain, std::uint32_t rest);

  // What of the chain is for sources within `gate`, an index into froms(), then `rest`.
  std::uint32_t JoinWithin(std::uint32_t gate, std::uint32_t chain, std::uint32_t rest);

  // Index into froms().
  std::uint32_t AddFrom(const srcsel_match &from);

  const std::vector<srcsel_route> &routes() const { return routes_; }
  const std::vector<srcsel_match> &froms() const { return froms_; }

 private:
  std::uint32_t Link(srcsel_route route, std::uint32_t next);
  bool LeadsToTheSame(const srcsel_route &route) const;
  // The narrower of two, SRCSEL_NONE being all sources; nothing if no source is of both.
  std::optional<std::uint32_t> Narrower(std::uint32_t a, std::uint32_t b) const;

  std::vector<srcsel_route> routes_;
  std::vector<srcsel_match> froms_;
  absl::flat_hash_map<std::array<std::uint64_t, sizeof(srcsel_route) / 8>, std::uint32_t> index_;
};

}  // namespace srcsel
