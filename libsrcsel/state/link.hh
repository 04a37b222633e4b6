// A network interface, as far as the choice of routes and sources depends on it.

#pragma once

#include <cstdint>
#include <string>

namespace srcsel {

struct Link {
  std::uint32_t index = 0;
  std::string name;
  std::uint32_t flags = 0;       // IFF_* (IFF_UP, IFF_LOWER_UP, IFF_LOOPBACK ...)
  std::uint32_t group = 0;       // IFLA_GROUP
  std::uint32_t master = 0;      // IFLA_MASTER, 0: none
  bool route_localnet = false;   // IPv4 devconf of this device
  bool ignore_linkdown[2] = {};  // ignore_routes_with_linkdown, [0] IPv4, [1] IPv6

  friend bool operator==(const Link &, const Link &) = default;
};

}  // namespace srcsel
