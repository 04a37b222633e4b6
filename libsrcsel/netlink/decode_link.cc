#include "netlink/decode_link.hh"

#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>

#include "netlink/attributes.hh"

namespace srcsel {
namespace {

// IPV4_DEVCONF_* count from 1, DEVCONF_* from 0.
constexpr std::size_t kRouteLocalnet4 = IPV4_DEVCONF_ROUTE_LOCALNET - 1;
constexpr std::size_t kIgnoreLinkdown4 = IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN - 1;
constexpr std::size_t kIgnoreLinkdown6 = DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN;

bool IsSet(Attributes::Bytes settings, std::size_t index) {
  std::uint32_t value = 0;
  if (settings.size() >= (index + 1) * sizeof(value))
    std::memcpy(&value, settings.data() + index * sizeof(value), sizeof(value));
  return value != 0;
}

}  // namespace

absl::StatusOr<Link> DecodeLink(const nlmsghdr &message) {
  DecodeError error("link");
  const auto header = ReadHeader<ifinfomsg>(message, RTM_NEWLINK, error);
  const Attributes a(message, sizeof(header), error);
  if (header.ifi_index <= 0) error.Report("it has no index");
  if (!a.Has(IFLA_IFNAME)) error.Report("it has no name");

  Link link;
  link.index = static_cast<std::uint32_t>(header.ifi_index);
  link.name = a.Name(IFLA_IFNAME);
  link.flags = header.ifi_flags;
  link.group = a.Get<std::uint32_t>(IFLA_GROUP).value_or(0);
  link.master = a.Get<std::uint32_t>(IFLA_MASTER).value_or(0);

  const Attributes families = a.Nested(IFLA_AF_SPEC);
  const Attributes::Bytes v4 = families.Nested(AF_INET).Payload(IFLA_INET_CONF);
  const Attributes::Bytes v6 = families.Nested(AF_INET6).Payload(IFLA_INET6_CONF);
  link.route_localnet = IsSet(v4, kRouteLocalnet4);
  link.ignore_linkdown[0] = IsSet(v4, kIgnoreLinkdown4);
  link.ignore_linkdown[1] = IsSet(v6, kIgnoreLinkdown6);

  if (!error.ok()) return error.status();
  return link;
}

}  // namespace srcsel
