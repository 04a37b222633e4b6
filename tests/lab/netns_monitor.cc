#include "lab/netns_monitor.hh"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "lab/netns.hh"

namespace srcsel::lab {
namespace {

constexpr char kFollow[] = "follow the changes of a network namespace";

absl::StatusOr<Fd> Subscribe() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV6_ROUTE;
  if (!socket || bind(socket.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)) != 0)
    return absl::ErrnoToStatus(errno, kFollow);
  return socket;
}

}  // namespace

absl::StatusOr<NetnsMonitor> NetnsMonitor::Open(const Fd &netns) {
  SRCSEL_ASSIGN_OR_RETURN(Fd socket, Within(netns, Subscribe));
  return NetnsMonitor(std::move(socket));
}

absl::Status NetnsMonitor::WaitUntilUp(const std::string &interface, Deadline deadline) {
  return WaitUntil([&] { return links_[interface] == LinkState::kUp; },
                   absl::StrCat("interface ", interface, " is up"), deadline);
}

absl::Status NetnsMonitor::WaitUntilGone(const std::string &interface, Deadline deadline) {
  return WaitUntil([&] { return links_[interface] == LinkState::kGone; },
                   absl::StrCat("interface ", interface, " is gone"), deadline);
}

absl::Status NetnsMonitor::WaitUntilReceiving(const IpAddress &address, Deadline deadline) {
  return WaitUntil([&] { return receiving_.contains(address); },
                   absl::StrCat("address ", address.ToString(), " receives"), deadline);
}

absl::Status NetnsMonitor::WaitUntil(const std::function<bool()> &arrived, absl::string_view what,
                                     const Deadline &deadline) {
  while (!arrived()) {
    if (deadline.Passed()) return absl::DeadlineExceededError(absl::StrCat("wait until ", what));
    SRCSEL_RETURN_IF_ERROR(Receive(deadline));
  }
  return absl::OkStatus();
}

// A notification is a datagram of its own.
absl::Status NetnsMonitor::Receive(const Deadline &deadline) {
  pollfd ready{socket_.get(), POLLIN, 0};
  if (poll(&ready, 1, deadline.PollTimeout()) <= 0) return absl::OkStatus();
  union {
    nlmsghdr header;
    char bytes[32768];
  } message;
  if (recv(socket_.get(), &message, sizeof(message), 0) < 0)
    return absl::ErrnoToStatus(errno, kFollow);
  switch (message.header.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      NoteLink(message.header);
      break;
    case RTM_NEWROUTE:
      NoteRoute(message.header);
      break;
  }
  return absl::OkStatus();
}

void NetnsMonitor::NoteLink(const nlmsghdr &message) {
  std::string name;
  bool up = false;
  auto left = static_cast<unsigned>(IFLA_PAYLOAD(&message));
  for (const rtattr *a = IFLA_RTA(NLMSG_DATA(&message)); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
    if (a->rta_type == IFLA_IFNAME) name = static_cast<const char *>(RTA_DATA(a));
    if (a->rta_type == IFLA_OPERSTATE)
      up = *static_cast<const std::uint8_t *>(RTA_DATA(a)) == IF_OPER_UP;
  }
  links_[name] = message.nlmsg_type == RTM_DELLINK ? LinkState::kGone
                 : up                              ? LinkState::kUp
                                                   : LinkState::kDown;
}

void NetnsMonitor::NoteRoute(const nlmsghdr &message) {
  const auto *route = static_cast<const rtmsg *>(NLMSG_DATA(&message));
  if (route->rtm_family != AF_INET6 || route->rtm_type != RTN_LOCAL) return;
  auto left = static_cast<unsigned>(RTM_PAYLOAD(&message));
  for (const rtattr *a = RTM_RTA(route); RTA_OK(a, left); a = RTA_NEXT(a, left))
    if (a->rta_type == RTA_DST) receiving_.insert(IpAddress::FromBytes(AF_INET6, RTA_DATA(a)));
}

}  // namespace srcsel::lab
