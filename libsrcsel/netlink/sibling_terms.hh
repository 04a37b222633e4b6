// The preferred sources and MTUs of IPv6 routes that share flows.
//
// Such routes may be added one by one, each with terms of its own, but a listing shows them as one
// route of several nexthops, with the terms of the first (rt6_fill_node() of Linux 6.18). So the
// kernel is asked where some flows would go, until each nexthop was the answer to one.
//
// Writes RouteTerms::own of the routes, but in tables that no rule leads to. Hidden stays a nexthop
// that no flow tried leaves by: its neighbour has failed, or no flow was found that comes to the
// route at all; and all nexthops of routes beyond kMostSharedRoutes.
//
// Asking sends no packet. Cost: some 3 us for each nexthop of such routes, and nothing else.

#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "netlink/ask_route.hh"
#include "state/state.hh"

namespace srcsel {

// Whether the listed route stands for several.
bool SharesFlows(const Routes::Entry &entry, const RouteTerms &terms);

inline constexpr std::size_t kMostSharedRoutes = 1000;

absl::Status LearnSiblingTerms(RouteAsker &asker, State &state);

}  // namespace srcsel
