// All routing state of a network namespace, read once.
//
// Contract: belongs to the network namespace the calling thread was in at Open(), wherever the
// thread goes later. Listings, each in the kernel's order: links and their order; addresses, rules
// and routes of each family; address labels; nexthop objects and, if there is a resilient group,
// buckets; sysctls; neighbours, last because they change most. What may be torn, and how it heals:
// - Links, addresses, labels, nexthop objects, buckets: each listing is consistent in itself; the
//   kernel marks one that is not and it is repeated.
// - Rules, routes and neighbours: the kernel marks nothing (Linux 6.18), so a change made while a
//   listing of more than 32 KiB is read may hide or repeat objects near it.
// - Across listings: a change that falls between two of them is in the later one only, so a route
//   may name a link or a nexthop object that the others do not have.
// Every such change is announced: open a Follower first, then read, and read again when it reports
// a change. A State that no change has followed is whole, but for what follow.hh names as never
// announced. That holds although the kernel announces a device as down before it drops the device's
// IPv4 routes and nexthop objects, and those never: links are listed first, which waits (for the
// RTNL lock) until a change under way is complete.
//
// What listings leave out of IPv6 routes that share flows is asked for (sibling_terms.hh).
//
// Cost: 950,000 IPv4 routes take 0.7 to 1.2 s, of which 0.1 s is ours and the rest the kernel's own
// walk through its memory, dear where routes were added in random order (Linux 6.18); 57 MB at the
// most. Nothing else is of that size: without routes it is 0.5 ms.
// Errors: those of NetlinkSocket::Dump(), and of decoding; never a State with a part missing. One
// thread at a time.

#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "netlink/ask_route.hh"
#include "netlink/netns_files.hh"
#include "netlink/socket.hh"
#include "state/state.hh"

namespace srcsel {

class StateReader {
 public:
  static absl::StatusOr<StateReader> Open();

  // SO_NETNS_COOKIE of the namespace.
  std::uint64_t netns() const { return socket_.netns(); }

  absl::StatusOr<State> Read();
  // State::neighbours alone: cheap.
  absl::StatusOr<std::vector<Neighbour>> ReadNeighbours();
  // State::settings alone: 0.1 ms.
  Settings ReadSettings() const;
  // Whether something is no longer as in `state` that no notification tells of (see follow.hh),
  // but the expiry of routes. 0.3 ms and 10 us a link.
  absl::StatusOr<bool> Differs(const State &state);

 private:
  StateReader(NetlinkSocket socket, RouteAsker asker, NetnsFiles files)
      : socket_(std::move(socket)), asker_(std::move(asker)), files_(std::move(files)) {}

  NetlinkSocket socket_;
  RouteAsker asker_;
  NetnsFiles files_;
};

}  // namespace srcsel
