// One RTM_NEWNEIGH or RTM_DELNEIGH message of the ARP or ND table to a Neighbour.
//
// Entries of bridges (AF_BRIDGE) are an error. Contract, cost and errors as in attributes.hh; pure.

#pragma once

#include <linux/netlink.h>

#include "absl/status/statusor.h"
#include "state/neighbour.hh"

namespace srcsel {

absl::StatusOr<Neighbour> DecodeNeighbour(const nlmsghdr &message);

}  // namespace srcsel
