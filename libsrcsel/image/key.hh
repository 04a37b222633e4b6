// From addresses as values to the forms the image stores: keys, matches and wire addresses.

#pragma once

#include <srcsel/abi.h>
#include <srcsel/address.hh>

namespace srcsel {

srcsel_family FamilyOf(const IpAddress &address);
srcsel_key KeyOf(const IpAddress &address);

// The mask of a prefix of `length` bits: the same for both families, keys are left aligned.
srcsel_key MaskOf(int length);
srcsel_match MatchOf(const Prefix &prefix);

void CopyWire(const IpAddress &address, __u8 (&wire)[16]);
IpAddress FromWire(srcsel_family family, const __u8 (&wire)[16]);

}  // namespace srcsel
