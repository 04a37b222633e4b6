// An entry of the neighbour table (ARP, ND), of a unicast address. Only gateways matter to the
// choice of routes.

#pragma once

#include <cstdint>

#include <srcsel/address.hh>

namespace srcsel {

struct Neighbour {
  std::uint32_t ifindex = 0;
  IpAddress address;
  std::uint16_t state = 0;  // NUD_*

  friend bool operator==(const Neighbour &, const Neighbour &) = default;
};

}  // namespace srcsel
