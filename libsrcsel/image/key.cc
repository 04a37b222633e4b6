#include "image/key.hh"

#include <algorithm>
#include <cstring>

namespace srcsel {

srcsel_key MaskOf(int length) {
  const auto ones = [](int bits) { return bits <= 0 ? 0 : ~std::uint64_t{0} << (64 - bits); };
  return {ones(std::min(length, 64)), ones(length - 64)};
}

srcsel_match MatchOf(const Prefix &prefix) {
  return {KeyOf(prefix.Network().address), MaskOf(prefix.length)};
}

void CopyWire(const IpAddress &address, __u8 (&wire)[16]) {
  std::memcpy(wire, address.bytes().data(), sizeof(wire));
}

IpAddress FromWire(srcsel_family family, const __u8 (&wire)[16]) {
  return IpAddress::FromBytes(family == SRCSEL_V4 ? AF_INET : AF_INET6, wire);
}

}  // namespace srcsel
