// The next hops of one RTM_NEWROUTE message: those of RTA_MULTIPATH, or the one that the message
// itself describes (all zeros for a blackhole and the like).
//
// Of a route through a nexthop object the kernel dumps the object's expansion too, unless
// net.ipv4.nexthop_compat_mode is 0: then the one next hop here is empty and only the id is known.
// An object's weight above 256 arrives modulo 256, for rtnh_hops has eight bits.

#pragma once

#include <linux/rtnetlink.h>

#include <vector>

#include "netlink/attributes.hh"
#include "state/route.hh"

namespace srcsel {

// Never empty unless an error was reported.
std::vector<Nexthop> DecodeNexthops(const rtmsg &header, const Attributes &route,
                                    DecodeError &error);

}  // namespace srcsel
