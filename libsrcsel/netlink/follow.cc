#include "netlink/follow.hh"

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <initializer_list>

#include "absl/functional/function_ref.h"
#include "base/status.hh"
#include "netlink/decode_neighbour.hh"

namespace srcsel {
namespace {

constexpr std::initializer_list<int> kRouting = {
    RTNLGRP_LINK,         RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_RULE,
    RTNLGRP_IPV6_RULE,    RTNLGRP_IPV4_ROUTE,   RTNLGRP_IPV6_ROUTE,  RTNLGRP_NEXTHOP,
    RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
};
constexpr std::size_t kNotificationBytes = 4096;  // a neighbour's is a tenth of that

absl::StatusOr<NetlinkSocket> Subscribe(std::initializer_list<int> groups) {
  SRCSEL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::Open());
  SRCSEL_RETURN_IF_ERROR(socket.SetNonBlocking());
  for (int group : groups) SRCSEL_RETURN_IF_ERROR(socket.Join(group));
  return socket;
}

absl::StatusOr<Fd> EitherOf(std::initializer_list<int> fds) {
  Fd either(epoll_create1(EPOLL_CLOEXEC));
  for (const int fd : fds) {
    epoll_event readable{};
    readable.events = EPOLLIN;
    if (epoll_ctl(either.get(), EPOLL_CTL_ADD, fd, &readable) != 0)
      return absl::ErrnoToStatus(errno, "wait for route notifications");
  }
  return either;
}

// Hands each pending notification to `each`, as much of it as there is room for and the size it
// has; with size -1 where some were lost.
absl::Status ReadPending(int fd, absl::Span<std::uint8_t> room,
                         absl::FunctionRef<void(ssize_t)> each) {
  for (;;) {
    const ssize_t size = recv(fd, room.data(), room.size(), MSG_TRUNC);
    if (size >= 0 || errno == ENOBUFS)
      each(size);
    else if (errno == EAGAIN)
      return absl::OkStatus();
    else if (errno != EINTR)
      return absl::ErrnoToStatus(errno, "read route notifications");
  }
}

bool Matters(const nlmsghdr &message, const Gateways &gateways) {
  const absl::StatusOr<Neighbour> neighbour = DecodeNeighbour(message);
  if (!neighbour.ok()) return false;  // of a bridge, or the kernel's question for an address
  return message.nlmsg_type == RTM_DELNEIGH ? gateways.DiffersWithout(*neighbour)
                                            : gateways.Differs(*neighbour);
}

}  // namespace

absl::StatusOr<Follower> Follower::Open() {
  SRCSEL_ASSIGN_OR_RETURN(NetlinkSocket routing, Subscribe(kRouting));
  SRCSEL_ASSIGN_OR_RETURN(NetlinkSocket neighbours, Subscribe({RTNLGRP_NEIGH}));
  SRCSEL_ASSIGN_OR_RETURN(Fd either, EitherOf({routing.fd(), neighbours.fd()}));
  return Follower(std::move(routing), std::move(neighbours), std::move(either));
}

absl::StatusOr<Changes> Follower::Drain(const Gateways &gateways) const {
  Changes changes;
  alignas(nlmsghdr) std::uint8_t buffer[kNotificationBytes];
  SRCSEL_RETURN_IF_ERROR(ReadPending(routing_.fd(), absl::MakeSpan(buffer, 1),
                                     [&](ssize_t) { changes.routing = true; }));
  SRCSEL_RETURN_IF_ERROR(ReadPending(neighbours_.fd(), absl::MakeSpan(buffer), [&](ssize_t size) {
    auto left = static_cast<int>(size);
    if (size < 0 || size > static_cast<ssize_t>(sizeof(buffer))) {
      changes.neighbours = true;
      return;
    }
    for (auto *message = reinterpret_cast<nlmsghdr *>(buffer); nlmsg_ok(message, left);
         message = nlmsg_next(message, &left))
      changes.neighbours |= Matters(*message, gateways);
  }));
  return changes;
}

}  // namespace srcsel
