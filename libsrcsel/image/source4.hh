// Which IPv4 source an interface yields for a route without RTA_PREFSRC, as inet_select_addr() in
// the kernel's devinet.c chooses it.
//
// Pure; linear in the addresses of the host.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "state/state.hh"
#include <srcsel/address.hh>

namespace srcsel {

struct Source4 {
  // 0.0.0.0 if the host has no eligible address: the kernel then sends from that.
  IpAddress address;
  // What it may be as well, where another device lends it and the order of devices, which decides,
  // is not known.
  std::vector<IpAddress> others = {};

  friend bool operator==(const Source4 &, const Source4 &) = default;
};

// `gateway` is the nexthop's if it has one; of an IPv6 gateway the kernel compares the first four
// bytes. `scope` is the route's.
Source4 SelectSource4(const State &state, std::uint32_t ifindex,
                      const std::optional<IpAddress> &gateway, std::uint8_t scope);

// What the kernel may keep for a nexthop of several, if it is still there: it was chosen at the
// last lookup without a source that took this nexthop, or, of a route that has a source of its own
// (`prefsrc`), when that was made, among the addresses of that day.
//
// Those of the device that have the gateway in their subnet, if there are any, or all of it; of a
// device without an address all that others may lend. With `prefsrc` all of the device; what others
// may lend, too, where the gateway need not have been in reach (RTNH_F_ONLINK); and `prefsrc`,
// which the route outlives out of table main. Empty: surely what SelectSource4() gives, as long as
// the only address that the device has for it is the only one that it had.
std::vector<IpAddress> KeptSources4(const State &state, const Nexthop &hop, std::uint8_t scope,
                                    const std::optional<IpAddress> &prefsrc);

}  // namespace srcsel
