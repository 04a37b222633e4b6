// One RTM_NEWROUTE message, IPv4 or IPv6, to a Route.
//
// IPv6 keeps expired routes in its dumps until they are collected, but no lookup finds them. Clones
// (RTM_F_CLONED) are decoded as they come: the reader of a dump drops them. Contract and errors as
// in attributes.hh; pure. Cost: about 0.1 us, one allocation for the next hops.

#pragma once

#include <linux/netlink.h>

#include "absl/status/statusor.h"
#include "state/route.hh"

namespace srcsel {

absl::StatusOr<Route> DecodeRoute(const nlmsghdr &message);

}  // namespace srcsel
