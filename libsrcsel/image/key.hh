// From addresses as values to the forms the image stores: keys, matches and wire addresses.

#pragma once

#include "absl/base/internal/endian.h"
#include <srcsel/abi.h>
#include <srcsel/address.hh>

namespace srcsel {

inline srcsel_family FamilyOf(const IpAddress &address) {
  return address.is_v4() ? SRCSEL_V4 : SRCSEL_V6;
}
inline srcsel_key KeyOf(const IpAddress &address) {
  return {absl::big_endian::Load64(address.bytes().data()),
          absl::big_endian::Load64(address.bytes().data() + 8)};
}

// The mask of a prefix of `length` bits: the same for both families, keys are left aligned.
srcsel_key MaskOf(int length);
srcsel_match MatchOf(const Prefix &prefix);

void CopyWire(const IpAddress &address, __u8 (&wire)[16]);
IpAddress FromWire(srcsel_family family, const __u8 (&wire)[16]);

}  // namespace srcsel
