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

std::int32_t Setting(Attributes::Bytes settings, std::size_t index) {
  std::int32_t value = 0;
  if (settings.size() >= (index + 1) * sizeof(value))
    std::memcpy(&value, settings.data() + index * sizeof(value), sizeof(value));
  return value;
}

void DecodeSettings(const Attributes &families, Link &link) {
  const Attributes::Bytes v4 = families.Nested(AF_INET).Payload(IFLA_INET_CONF);
  link.route_localnet = Setting(v4, kRouteLocalnet4) != 0;
  link.ignore_linkdown[0] = Setting(v4, kIgnoreLinkdown4) != 0;

  const Attributes::Bytes v6 = families.Nested(AF_INET6).Payload(IFLA_INET6_CONF);
  link.ignore_linkdown[1] = Setting(v6, DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN) != 0;
  link.use_tempaddr = Setting(v6, DEVCONF_USE_TEMPADDR);
  link.optimistic_dad = Setting(v6, DEVCONF_OPTIMISTIC_DAD) != 0;
  link.use_optimistic = Setting(v6, DEVCONF_USE_OPTIMISTIC) != 0;
  link.use_oif_addrs_only = Setting(v6, DEVCONF_USE_OIF_ADDRS_ONLY) != 0;
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

  link.vrf = a.Nested(IFLA_LINKINFO).Text(IFLA_INFO_KIND) == "vrf";
  DecodeSettings(a.Nested(IFLA_AF_SPEC), link);

  if (!error.ok()) return error.status();
  return link;
}

}  // namespace srcsel
