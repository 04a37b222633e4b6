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

// What the kernel may keep for a nexthop of several, if it is still there: it was chosen when the
// route was made or, if that has no source of its own (`prefsrc`), at the last lookup without a
// source that took this nexthop, among the addresses of that day.
//
// Those of the device; of one without, or where the gateway need not have been in reach
// (RTNH_F_ONLINK), also what others may lend; and `prefsrc`, which the route outlives out of table
// main.
std::vector<IpAddress> KeptSources4(const State &state, const Nexthop &hop, std::uint8_t scope,
                                    const std::optional<IpAddress> &prefsrc);

}  // namespace srcsel
