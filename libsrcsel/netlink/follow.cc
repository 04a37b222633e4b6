#include "netlink/follow.hh"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/status.hh"

namespace srcsel {
namespace {

constexpr int kGroups[] = {
    RTNLGRP_LINK,         RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_RULE,
    RTNLGRP_IPV6_RULE,    RTNLGRP_IPV4_ROUTE,   RTNLGRP_IPV6_ROUTE,  RTNLGRP_NEXTHOP,
    RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
};

}  // namespace

absl::StatusOr<Follower> Follower::Open() {
  SRCSEL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::Open());
  SRCSEL_RETURN_IF_ERROR(socket.SetNonBlocking());
  for (int group : kGroups) SRCSEL_RETURN_IF_ERROR(socket.Join(group));
  return Follower(std::move(socket));
}

absl::StatusOr<bool> Follower::Drain() const {
  bool changed = false;
  for (;;) {
    char unread;
    if (recv(fd(), &unread, sizeof(unread), 0) >= 0 || errno == ENOBUFS)
      changed = true;
    else if (errno == EAGAIN)
      return changed;
    else if (errno != EINTR)
      return absl::ErrnoToStatus(errno, "read route notifications");
  }
}

}  // namespace srcsel
