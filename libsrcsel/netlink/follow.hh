// Hears that a network namespace's routing state has changed.
//
// Contract: open the Follower first and read the state after that: a change is then either in what
// was read or heard of afterwards. The caller's loop is
//
//   follower = Follower::Open();  ReadState();
//   for ever: poll(follower.fd(), POLLIN);  if (follower.Drain()) ReadState();
//
// Any notification on links, addresses, rules, routes, nexthop objects or devices' settings counts
// as a change, unread: the kernel leaves out many consequences (a device set down takes its IPv4
// routes with it in silence), so nothing less than a new reading is right. Lost notifications
// (ENOBUFS) count as a change too. Not announced by anyone: sysctls but those of netconf, and the
// expiry of an IPv6 route. Neighbours are not subscribed to.
//
// Belongs to the network namespace of the thread that opened it. One thread at a time. Never
// blocks. Cost: one recv() a notification.

#pragma once

#include <utility>

#include "absl/status/statusor.h"
#include "netlink/socket.hh"

namespace srcsel {

class Follower {
 public:
  static absl::StatusOr<Follower> Open();

  // Readable (POLLIN, or POLLERR when some were lost) as soon as Drain() has something to read.
  int fd() const { return socket_.fd(); }

  // Reads all that is pending; whether anything has changed since the last call.
  absl::StatusOr<bool> Drain() const;

 private:
  explicit Follower(NetlinkSocket socket) : socket_(std::move(socket)) {}

  NetlinkSocket socket_;
};

}  // namespace srcsel
