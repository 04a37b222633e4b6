// Which IPv4 source an interface yields for a route without RTA_PREFSRC, as inet_select_addr() in
// the kernel's devinet.c chooses it.
//
// Pure; linear in the interface's addresses.

#pragma once

#include <cstdint>
#include <optional>

#include "base/address.hh"
#include "state/state.hh"

namespace srcsel {

// `gateway` is the nexthop's if it is IPv4; `scope` the route's. No answer if the interface has no
// eligible address: the kernel then tries the other interfaces in an order that netlink hides.
std::optional<IpAddress> SelectSource4(const State &state, std::uint32_t ifindex,
                                       const std::optional<IpAddress> &gateway, std::uint8_t scope);

}  // namespace srcsel
