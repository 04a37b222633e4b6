// How the kernel judges a gateway by its entry in the neighbour table. Each place that does has a
// rule of its own; all take a gateway without an entry for a good one.
//
// Whose entry: the one of the nexthop's device and gateway (ARP for an IPv4 gateway, ND for an IPv6
// one). On loopback and point-to-point devices UsableInGroup() is asked about the ARP entry of
// 0.0.0.0 instead. A nexthop without a gateway, or with one of this host's own addresses, has none.
//
// Short-lived truth: an entry's state changes with traffic and time. Pure, constant time.

#pragma once

#include <linux/neighbour.h>

#include <cstdint>
#include <optional>

namespace srcsel {

using GatewayState = std::optional<std::uint16_t>;  // NUD_*; nothing: no entry

// The kernel's NUD_VALID: an address of the link layer is known, or none is needed.
inline constexpr std::uint16_t kNudValid =
    NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;

// As a member of a nexthop group, and as a nexthop of an IPv4 multipath route under
// fib_multipath_use_neigh.
inline bool UsableInGroup(GatewayState state) {
  return !state || (*state & kNudValid) != 0;
}

// As the gateway of an IPv6 route on a host that does not forward (net.ipv6.conf.all.forwarding=0;
// one that does asks no neighbour), in kernels built with router preferences, as all known are.
inline bool UsableAsRouter6(GatewayState state) {
  return !state || (*state & NUD_FAILED) == 0;
}

}  // namespace srcsel
