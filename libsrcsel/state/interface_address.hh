// An address of an interface, in the order in which the kernel's dump lists it: that order decides
// between equals (devinet.c keeps primaries by scope, addrconf.c newest first).

#pragma once

#include <cstdint>

#include <srcsel/address.hh>

namespace srcsel {

struct InterfaceAddress {
  std::uint32_t ifindex = 0;
  IpAddress local;          // IFA_LOCAL, or IFA_ADDRESS where that is absent (IPv6)
  Prefix subnet;            // IFA_ADDRESS (the peer on point-to-point links) and its prefix length
  std::uint8_t scope = 0;   // RT_SCOPE_*
  std::uint32_t flags = 0;  // IFA_F_*, all 32 bits

  friend bool operator==(const InterfaceAddress &, const InterfaceAddress &) = default;
};

}  // namespace srcsel
