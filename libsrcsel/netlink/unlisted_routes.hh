// IPv6 routes that the kernel has and does not list.
//
// Routes that share flows (RTA_MULTIPATH) are listed as one, after which the listing goes on behind
// the last of them: what stands in between, of the same prefix and metric, is passed over
// (fib6_dump_node() of Linux 6.18). That may be what forbids, what has no gateway, or what a router
// advertised. /proc/net/ipv6_route has it, without its table, its type and its source.
//
// Writes RouteTerms::not_all_shown, of the routes that share and of those that are added for what
// is found, so that no answer that may come from them is held to be exact.
//
// Cost: nothing where no routes share flows. The file takes a walk of all routes for each 4 kB of
// it, so it is not read of a host that has more than kMostListedRoutes: what is unlisted there is
// not known.

#pragma once

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "state/state.hh"

namespace srcsel {

inline constexpr std::size_t kMostListedRoutes = 10000;

// `read` gives the text of /proc/net/ipv6_route.
void AddUnlistedRoutes(absl::FunctionRef<std::string()> read, State &state);

}  // namespace srcsel
