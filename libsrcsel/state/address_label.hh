// A line of the IPv6 address label table (`ip addrlabel`, RFC 6724 rule 6), in table order: the
// first that fits holds.

#pragma once

#include <cstdint>

#include <srcsel/address.hh>

namespace srcsel {

struct AddressLabel {
  Prefix prefix;
  std::uint32_t ifindex = 0;  // 0: any
  std::uint32_t label = 0;

  friend bool operator==(const AddressLabel &, const AddressLabel &) = default;
};

}  // namespace srcsel
