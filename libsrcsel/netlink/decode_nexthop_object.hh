// One RTM_NEWNEXTHOP message to a NexthopObject, and one RTM_NEWNEXTHOPBUCKET message to a bucket
// of a resilient group.
//
// The message of a resilient group tells how many buckets it has; each belongs to member 0 (nobody)
// until its own message says more. Weights have sixteen bits since Linux 6.12. Contract, cost and
// errors as in attributes.hh; pure.

#pragma once

#include <linux/netlink.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "state/nexthop_object.hh"

namespace srcsel {

struct NexthopBucket {
  std::uint32_t group = 0;
  std::uint16_t index = 0;
  std::uint32_t member = 0;

  friend bool operator==(const NexthopBucket &, const NexthopBucket &) = default;
};

absl::StatusOr<NexthopObject> DecodeNexthopObject(const nlmsghdr &message);
absl::StatusOr<NexthopBucket> DecodeNexthopBucket(const nlmsghdr &message);

}  // namespace srcsel
