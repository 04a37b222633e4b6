// One RTM_NEWLINK message to a Link.
//
// The per-device settings come from IFLA_AF_SPEC; where a kernel does not send one, or its array is
// shorter, the setting is off. Contract, cost and errors as in attributes.hh; pure.

#pragma once

#include <linux/netlink.h>

#include "absl/status/statusor.h"
#include "state/link.hh"

namespace srcsel {

absl::StatusOr<Link> DecodeLink(const nlmsghdr &message);

}  // namespace srcsel
