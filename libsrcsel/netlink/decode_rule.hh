// One RTM_NEWRULE message, IPv4 or IPv6, to a Rule, with every selector up to Linux 6.18.
//
// A mask of a port, DSCP or flow label that has all its bits says nothing and is not kept: Linux
// 6.15 lists one with every single port, older kernels do not. Numbers above those of the installed
// headers are spelled out in the source. Multicast routing's rules (families 128 and up) are an
// error. Contract, cost and errors as in attributes.hh; pure.

#pragma once

#include <linux/netlink.h>

#include "absl/status/statusor.h"
#include "state/rule.hh"

namespace srcsel {

absl::StatusOr<Rule> DecodeRule(const nlmsghdr &message);

}  // namespace srcsel
