// A flow that a socket of this host is about to open: the question put to Lookup and Select.
//
// What is not said is what a fresh socket has. Addresses are values of <srcsel/address.hh>; numbers
// are in host byte order.

#pragma once

#include <cstdint>
#include <string>

#include <srcsel/address.hh>

namespace srcsel {

struct Flow {
  IpAddress destination;    // of IPv4 also where the socket is AF_INET6 (::ffff:a.b.c.d)
  std::uint16_t dport = 0;  // 0 where the protocol has no ports
  IpAddress source = {};    // what the socket is bound to; unspecified: nothing
  std::uint16_t sport = 0;  // what the socket is bound to; 0: nothing
  std::uint8_t proto = IPPROTO_TCP;
  std::uint8_t tos = 0;      // IP_TOS, or IPV6_TCLASS
  std::uint32_t mark = 0;    // SO_MARK
  std::uint32_t uid = 0;     // of the socket's owner: fsuid at socket(), or fchown()
  std::uint32_t oif = 0;     // interface index: SO_BINDTODEVICE, scope id; 0: none
  bool oif_strict = true;    // false: IPV6_UNICAST_IF and the like, a wish once there is a source
  std::uint32_t label = 0;   // IPv6 flow label, where the socket sends one (IPV6_FLOWINFO_SEND)
  std::uint32_t prefer = 0;  // IPV6_ADDR_PREFERENCES, the bits TMP, PUBLIC and COA
  bool transparent = false;  // IP_TRANSPARENT: IPv4 takes a source that is not the host's
  bool broadcast = false;    // SO_BROADCAST

  // In the words of `ip route get`.
  std::string ToString() const;

  friend bool operator==(const Flow &, const Flow &) = default;
};

}  // namespace srcsel
