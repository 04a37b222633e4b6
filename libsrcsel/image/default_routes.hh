// Which IPv4 default routes of a table take turns: fib_select_default().
//
// Contract: Linux 6.18. Pure. Cost: linear in the default routes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "image/paths.hh"
#include "state/state.hh"

namespace srcsel {

// One of the default routes of a table, in the order of the dump. Of several nexthops the first
// counts, whether it can be used or not.
struct DefaultRoute {
  std::uint8_t tos = 0;
  std::uint32_t metric = 0;
  std::uint8_t type = 0;   // RTN_*
  std::uint8_t scope = 0;  // RT_SCOPE_*
  bool gateway = false;    // has one, which is not one of this host's addresses
  // NUD_*, nothing without an entry: of the gateway, even on a point-to-point device.
  std::optional<std::uint16_t> neighbour = {};
};

DefaultRoute DefaultOf(const RouteTerms &terms, const Paths &paths);

// Those that take part in a lookup with this tos, in which the table walk found `found`: of one
// scope and metric, those of no tos behind those of the flow's, whatever metric they begin at. None
// unless `found` is the first of them.
std::vector<std::size_t> CompetingDefaults(std::span<const DefaultRoute> routes, std::size_t found,
                                           std::uint8_t tos);

}  // namespace srcsel
