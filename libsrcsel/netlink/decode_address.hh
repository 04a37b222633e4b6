// One RTM_NEWADDR message, IPv4 or IPv6, to an InterfaceAddress.
//
// Contract, cost and errors as in attributes.hh; pure.

#pragma once

#include <linux/netlink.h>

#include "absl/status/statusor.h"
#include "state/interface_address.hh"

namespace srcsel {

absl::StatusOr<InterfaceAddress> DecodeAddress(const nlmsghdr &message);

}  // namespace srcsel
