// Which IPv4 default route the kernel takes where a table has several: fib_select_default().
//
// If a lookup without a requested device ends in a default route of one nexthop, the kernel goes
// through the table's default routes of that metric and takes the first whose gateway seems alive.
// An entry of the neighbour table that is valid but not REACHABLE is held for alive only once: the
// kernel remembers the route it took last and passes it over, so lookups go round. That memory is
// hidden and changes with every lookup; a connect() makes two or three.
//
// Contract: Linux 6.18; before, a gateway without an entry may count as dead. Pure. Cost: linear in
// the default routes; quadratic if the memory is unknown.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "image/default_routes.hh"
#include "lookup/path_choice.hh"

namespace srcsel {

struct DefaultTurn {
  std::size_t index = 0;  // of the route taken
  int memory = -1;        // for the next lookup

  friend bool operator==(const DefaultTurn &, const DefaultTurn &) = default;
};

// One lookup with this tos, in which the table walk found `found`. The memory is -1 while nothing
// is remembered, else it counts the routes that take part; it belongs to the first of those.
DefaultTurn RotateDefault(std::span<const DefaultRoute> routes, std::size_t found, std::uint8_t tos,
                          int memory);

// One lookup with whatever memory.
PathChoice ChooseDefault(std::span<const DefaultRoute> routes, std::size_t found, std::uint8_t tos);

}  // namespace srcsel
