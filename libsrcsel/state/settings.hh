// What the choice of routes and sources depends on and no netlink message carries: sysctls of the
// namespace, and how the kernel was built.

#pragma once

#include <cstdint>
#include <optional>

namespace srcsel {

struct Settings {
  bool route_localnet_all = false;        // net.ipv4.conf.all.route_localnet
  bool ignore_linkdown_all = false;       // net.ipv4.conf.all.ignore_routes_with_linkdown
  bool ip_nonlocal_bind[2] = {};          // [0] net.ipv4, [1] net.ipv6
  bool forwarding6_all = false;           // net.ipv6.conf.all.forwarding
  bool optimistic_dad_all = false;        // net.ipv6.conf.all.optimistic_dad
  bool use_optimistic_all = false;        // net.ipv6.conf.all.use_optimistic
  bool mobility6 = false;                 // built with CONFIG_IPV6_MIP6: prefers home addresses
  std::uint8_t multipath_policy[2] = {};  // fib_multipath_hash_policy, [0] ipv4, [1] ipv6
  std::uint32_t multipath_fields[2] = {7, 7};  // fib_multipath_hash_fields
  std::uint32_t multipath_seed = 0;  // net.ipv4.fib_multipath_hash_seed; 0: the kernel's secret
  bool multipath_use_neigh = false;  // net.ipv4.fib_multipath_use_neigh
  std::uint16_t port_first = 32768, port_last = 60999;  // net.ipv4.ip_local_port_range

  friend bool operator==(const Settings &, const Settings &) = default;
};

}  // namespace srcsel
