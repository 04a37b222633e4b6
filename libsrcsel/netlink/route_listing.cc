#include "netlink/route_listing.hh"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include <cstring>
#include <optional>

#include "netlink/decode_route.hh"

namespace srcsel {
namespace {

constexpr std::size_t kAttributes = NLMSG_ALIGN(sizeof(rtmsg));

// Where the address of the last RTA_DST is in what follows nlmsghdr; nothing if there is none, or
// not one of the family's size.
std::optional<std::size_t> FindDst(const std::string &kind, int size) {
  std::optional<std::size_t> place;
  const auto *attribute = reinterpret_cast<const nlattr *>(kind.data() + kAttributes);
  int left = static_cast<int>(kind.size() - kAttributes);
  for (; left > 0 && nla_ok(attribute, left); attribute = nla_next(attribute, &left)) {
    if (nla_type(attribute) != RTA_DST) continue;
    if (nla_len(attribute) != size) return std::nullopt;
    place = static_cast<const char *>(nla_data(attribute)) - kind.data();
  }
  return place;
}

// Takes the destination out of a message of a route and returns it. Nothing, and the message left
// as it is, where that is no simple matter.
std::optional<Prefix> TakeDst(std::string &kind) {
  if (kind.size() < kAttributes) return std::nullopt;
  rtmsg header;
  std::memcpy(&header, kind.data(), sizeof(header));
  if (header.rtm_family != AF_INET && header.rtm_family != AF_INET6) return std::nullopt;
  const IpAddress any = IpAddress::Any(header.rtm_family);
  const std::optional<std::size_t> place = FindDst(kind, any.bits() / 8);
  if (!place || header.rtm_dst_len > any.bits()) return std::nullopt;

  const Prefix dst{IpAddress::FromBytes(header.rtm_family, kind.data() + *place),
                   header.rtm_dst_len};
  std::memset(kind.data() + *place, 0, any.size());
  kind[offsetof(rtmsg, rtm_dst_len)] = 0;
  return dst;
}

}  // namespace

absl::Status RouteListing::Add(const nlmsghdr &message) {
  if (message.nlmsg_type != RTM_NEWROUTE || message.nlmsg_len < NLMSG_LENGTH(sizeof(rtmsg)))
    return DecodeRoute(message).status();
  kind_.assign(static_cast<const char *>(NLMSG_DATA(&message)), message.nlmsg_len - NLMSG_HDRLEN);
  const std::optional<Prefix> dst = TakeDst(kind_);
  if (dst) {
    if (const auto known = terms_of_.find(kind_); known != terms_of_.end()) {
      routes_.push_back(*dst, known->second);
      return absl::OkStatus();
    }
  }
  return AddNew(message, dst.has_value());
}

absl::Status RouteListing::AddNew(const nlmsghdr &message, bool remember) {
  const absl::StatusOr<Route> route = DecodeRoute(message);
  if (!route.ok()) return route.status();
  if (route->flags & RTM_F_CLONED) return absl::OkStatus();
  const std::uint32_t terms = routes_.Keep(*route);
  routes_.push_back(route->dst, terms);
  if (!remember) return absl::OkStatus();
  if (terms_of_.size() == kMostKinds) terms_of_.clear();
  terms_of_.emplace(kind_, terms);
  return absl::OkStatus();
}

}  // namespace srcsel
