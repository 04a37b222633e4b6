// A routing netlink socket: asks one network namespace for what it has.
//
// Contract: belongs to the network namespace the calling thread was in at Open(), wherever the
// thread goes later. Move-only, closed on destruction and on exec. One thread at a time. Requests
// are checked strictly by the kernel, so none is half understood. Never prints, and waits for
// nothing: the kernel produces a dump as it is read.
//
// Cost: Dump() hands out messages where they were received, 32 KiB of them at a time (the most the
// kernel fills); it adds nothing measurable to the time the kernel itself takes.
//
// Errors name what was dumped. After any of them the socket can be used for the next dump, unless
// receiving itself failed.

#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct nl_sock;

namespace srcsel {

class NetlinkSocket {
 public:
  static constexpr int kDumpAttempts = 8;

  static absl::StatusOr<NetlinkSocket> Open();

  int fd() const;
  // The cookie of the socket's network namespace.
  std::uint64_t netns() const { return netns_; }

  // Makes receiving fail with EAGAIN rather than wait.
  absl::Status SetNonBlocking();
  // Subscribes to a multicast group, RTNLGRP_*.
  absl::Status Join(int group);

  // Has the kernel list all objects of `type` (RTM_GETLINK, RTM_GETADDR, RTM_GETADDRLABEL,
  // RTM_GETRULE, RTM_GETNEXTHOP, RTM_GETNEXTHOPBUCKET, RTM_GETNEIGH or RTM_GETROUTE) and a family
  // (AF_UNSPEC for links, nexthop objects and their buckets).
  //
  // `begin` starts an attempt: forget what was delivered so far. Where the kernel says that a
  // change made its listing inconsistent (it does not for rules, routes and neighbours), the dump
  // is repeated; after kDumpAttempts in vain it fails with kAborted. `each` is given the messages
  // of that family in order; its first error ends the dump and is returned. A family the kernel was
  // built or booted without has no objects.
  absl::Status Dump(int type, int family, absl::FunctionRef<void()> begin,
                    absl::FunctionRef<absl::Status(const nlmsghdr &)> each);

 private:
  struct Free {
    void operator()(nl_sock *socket) const;
  };

  explicit NetlinkSocket(nl_sock *socket) : socket_(socket) {}

  std::unique_ptr<nl_sock, Free> socket_;
  std::uint64_t netns_ = 0;
};

}  // namespace srcsel
