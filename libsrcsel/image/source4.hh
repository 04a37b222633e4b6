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

}  // namespace srcsel
