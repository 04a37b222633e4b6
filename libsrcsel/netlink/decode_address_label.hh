// One RTM_NEWADDRLABEL message to an AddressLabel.
//
// Contract, cost and errors as in attributes.hh; pure.

#pragma once

#include <linux/netlink.h>

#include "absl/status/statusor.h"
#include "state/address_label.hh"

namespace srcsel {

absl::StatusOr<AddressLabel> DecodeAddressLabel(const nlmsghdr &message);

}  // namespace srcsel
