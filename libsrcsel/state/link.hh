// A network interface, as far as the choice of routes and sources depends on it.

#pragma once

#include <cstdint>
#include <string>

namespace srcsel {

inline constexpr std::uint32_t kLoIndex = 1;  // of lo, in every namespace

struct Link {
  std::uint32_t index = 0;
  std::string name;
  std::uint32_t flags = 0;       // IFF_* (IFF_UP, IFF_LOWER_UP, IFF_LOOPBACK ...)
  std::uint32_t group = 0;       // IFLA_GROUP
  std::uint32_t master = 0;      // IFLA_MASTER, 0: none
  bool vrf = false;              // a VRF device
  bool route_localnet = false;   // IPv4 devconf of this device
  bool ignore_linkdown[2] = {};  // ignore_routes_with_linkdown, [0] IPv4, [1] IPv6

  // IPv6 devconf of this device. Absent where IPv6 is off: all 0.
  std::int32_t use_tempaddr = 0;
  bool optimistic_dad = false;
  bool use_optimistic = false;
  bool use_oif_addrs_only = false;

  friend bool operator==(const Link &, const Link &) = default;
};

}  // namespace srcsel
