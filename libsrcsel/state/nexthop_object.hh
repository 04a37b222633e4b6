// A nexthop object (`ip nexthop`), which routes name by id instead of carrying gateways of their
// own.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <srcsel/address.hh>

namespace srcsel {

struct NexthopMember {
  std::uint32_t id = 0;
  std::uint32_t weight = 1;  // 1 to 65,536

  friend bool operator==(const NexthopMember &, const NexthopMember &) = default;
};

struct NexthopObject {
  std::uint32_t id = 0;
  int family = 0;                    // AF_UNSPEC of a group
  std::uint32_t oif = 0;             // 0: a group or a blackhole
  std::optional<IpAddress> gateway;  // of `family`
  std::uint8_t scope = 0;            // RT_SCOPE_*
  std::uint8_t flags = 0;            // RTNH_F_*
  bool blackhole = false;
  bool fdb = false;
  bool encap = false;

  std::vector<NexthopMember> group;    // in the group's order; empty: not a group
  bool resilient = false;              // the group hashes to buckets, not to weights
  std::vector<std::uint32_t> buckets;  // resilient: the member's id by bucket number

  friend bool operator==(const NexthopObject &, const NexthopObject &) = default;
};

}  // namespace srcsel
