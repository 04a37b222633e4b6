// Any bytes as a run of netlink messages, as one datagram holds them: no decoder may crash, read
// beyond the message, leak, or believe what it should refuse.

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "netlink/decode_address.hh"
#include "netlink/decode_address_label.hh"
#include "netlink/decode_link.hh"
#include "netlink/decode_neighbour.hh"
#include "netlink/decode_nexthop_object.hh"
#include "netlink/decode_route.hh"
#include "netlink/decode_rule.hh"
#include "netlink/route_listing.hh"

namespace srcsel {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void Check(const IpAddress &address) {
  Require(address.family() == AF_INET || address.family() == AF_INET6);
}
void Check(const std::optional<IpAddress> &address) {
  if (address) Check(*address);
}
void Check(const Prefix &prefix) {
  Check(prefix.address);
  Require(prefix.length >= 0 && prefix.length <= prefix.address.bits());
}
void CheckName(const std::string &name) {
  Require(name.size() < IFNAMSIZ && name.find('\0') == std::string::npos);
}

void Check(const Link &link) {
  Require(link.index != 0 && !link.name.empty());
  CheckName(link.name);
}
void Check(const InterfaceAddress &address) {
  Check(address.local);
  Check(address.subnet);
  Require(address.local.family() == address.subnet.address.family());
}
void Check(const AddressLabel &label) {
  Check(label.prefix);
  Require(!label.prefix.address.is_v4());
}
void Check(const Rule &rule) {
  for (const Prefix &prefix : {rule.from, rule.to}) {
    Check(prefix);
    Require(prefix.address.family() == rule.family);
  }
  for (const std::string &name : {rule.iif, rule.oif}) CheckName(name);
}
void Check(const Route &route) {
  Check(route.dst);
  Check(route.src);
  Check(route.prefsrc);
  Require(!route.nexthops.empty());
  for (const Nexthop &hop : route.nexthops) Check(hop.gateway);
}
void Check(const NexthopObject &object) {
  Require(object.id != 0);
  Check(object.gateway);
  for (const NexthopMember &member : object.group) Require(member.weight >= 1);
}
void Check(const NexthopBucket &bucket) {
  Require(bucket.group != 0);
}
void Check(const Neighbour &neighbour) {
  Check(neighbour.address);
}

template <typename T>
void Try(absl::StatusOr<T> (*decode)(const nlmsghdr &), const nlmsghdr &message) {
  const absl::StatusOr<T> value = decode(message);
  if (value.ok()) Check(*value);
}

// A listing of routes and the decoder of one say the same of each message.
class Routings {
 public:
  void Add(const nlmsghdr &message) {
    const absl::StatusOr<Route> route = DecodeRoute(message);
    const std::size_t before = routes_.size();
    Require(listing_.Add(message) == route.status());
    if (routes_.size() > before) Require(routes_.At(before) == *route);
  }

 private:
  Routes routes_;
  RouteListing listing_{routes_};
};

void TryOne(const nlmsghdr &message, Routings &routings) {
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
      return Try(DecodeLink, message);
    case RTM_NEWADDR:
      return Try(DecodeAddress, message);
    case RTM_NEWADDRLABEL:
      return Try(DecodeAddressLabel, message);
    case RTM_NEWRULE:
      return Try(DecodeRule, message);
    case RTM_NEWROUTE:
      Try(DecodeRoute, message);
      return routings.Add(message);
    case RTM_NEWNEXTHOP:
      return Try(DecodeNexthopObject, message);
    case RTM_NEWNEXTHOPBUCKET:
      return Try(DecodeNexthopBucket, message);
    default:
      return Try(DecodeNeighbour, message);
  }
}

}  // namespace
}  // namespace srcsel

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  srcsel::Routings routings;
  auto left = static_cast<int>(size);
  const auto *message = reinterpret_cast<const nlmsghdr *>(data);
  for (; nlmsg_ok(message, left); message = nlmsg_next(const_cast<nlmsghdr *>(message), &left)) {
    // Each by itself, so that the sanitizer knows where it ends.
    const auto copy = std::make_unique<std::uint8_t[]>(message->nlmsg_len);
    std::memcpy(copy.get(), message, message->nlmsg_len);
    srcsel::TryOne(*reinterpret_cast<const nlmsghdr *>(copy.get()), routings);
  }
  return 0;
}
