// Hears that a network namespace's routing state has changed.
//
// Contract: open the Follower first and read the state after that: a change is then either in what
// was read or heard of afterwards. The caller's loop is
//
//   follower = Follower::Open();  reader = StateReader::Open();
//   state = reader.Read();  gateways = Gateways(state);
//   for ever:
//     poll(follower.fd(), POLLIN);  changes = follower.Drain(gateways);
//     if (changes.routing) state = reader.Read();
//     else if (changes.neighbours) state.neighbours = reader.ReadNeighbours();
//     if (changes.any()) gateways = Gateways(state);
//
// Any notification on links, addresses, rules, routes, nexthop objects, their buckets or devices'
// settings counts as a change, unread: the kernel leaves out many consequences (a device set down
// takes its IPv4 routes with it in silence), so nothing less than a new reading is right.
//
// Neighbours come and go by the thousand where few of them matter. They have a socket of their own,
// so that no flood of them can drown other notifications, and only gateways whose class (see
// gateways.hh) is no longer the one last read count as a change.
//
// Lost notifications (ENOBUFS) count as a change of what was lost. Not announced by anyone, to be
// polled by who must know: the sysctls of Settings but forwarding6_all and ignore_linkdown_all
// (StateReader::ReadSettings()), Link::route_localnet, use_tempaddr, optimistic_dad, use_optimistic
// and use_oif_addrs_only, address labels, and the expiry of an IPv6 route.
//
// Belongs to the network namespace of the thread that opened it. One thread at a time. Never
// blocks. Cost: one recv() a notification.

#pragma once

#include <utility>

#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "netlink/gateways.hh"
#include "netlink/socket.hh"

namespace srcsel {

struct Changes {
  bool routing = false;     // anything but neighbours
  bool neighbours = false;  // a gateway's neighbour

  bool any() const { return routing || neighbours; }

  friend bool operator==(const Changes &, const Changes &) = default;
};

class Follower {
 public:
  static absl::StatusOr<Follower> Open();

  // Readable (POLLIN) as soon as Drain() has something to read.
  int fd() const { return either_.get(); }

  // Reads all that is pending; what has changed since the last call. `gateways` are those of the
  // state last read; with none, neighbours change nothing unless some notifications were lost.
  absl::StatusOr<Changes> Drain(const Gateways &gateways) const;

 private:
  Follower(NetlinkSocket routing, NetlinkSocket neighbours, Fd either)
      : routing_(std::move(routing)),
        neighbours_(std::move(neighbours)),
        either_(std::move(either)) {}

  NetlinkSocket routing_, neighbours_;
  Fd either_;  // epoll over both
};

}  // namespace srcsel
