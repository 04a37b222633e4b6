// An IPv4 address or prefix in IPv6, ::ffff:a.b.c.d, as the IPv4 one that it stands for: the kernel
// routes by that. Anything else stays as it is. Pure, constant time.

#pragma once

#include <srcsel/address.hh>

namespace srcsel {

inline IpAddress Unmapped(const IpAddress &address) {
  return address.IsV4Mapped() ? IpAddress::FromBytes(AF_INET, address.bytes().data() + 12)
                              : address;
}

inline Prefix Unmapped(const Prefix &prefix) {
  if (!prefix.address.IsV4Mapped() || prefix.length < 96) return prefix;
  return {Unmapped(prefix.address), prefix.length - 96};
}

}  // namespace srcsel
