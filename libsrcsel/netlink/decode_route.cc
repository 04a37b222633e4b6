#include "netlink/decode_route.hh"

#include <linux/rtnetlink.h>

#include "netlink/attributes.hh"
#include "netlink/decode_nexthops.hh"

namespace srcsel {
namespace {

std::optional<std::int32_t> Expires(const Attributes &a) {
  const auto cache = a.Get<rta_cacheinfo>(RTA_CACHEINFO);
  if (!cache || cache->rta_expires == 0) return std::nullopt;
  return cache->rta_expires;
}

}  // namespace

absl::StatusOr<Route> DecodeRoute(const nlmsghdr &message) {
  DecodeError error("route");
  const auto header = ReadHeader<rtmsg>(message, RTM_NEWROUTE, error);
  const Attributes a(message, sizeof(header), error);
  const int family = header.rtm_family;
  RequireIpFamily(family, error);

  Route route;
  route.dst = a.PrefixOf(RTA_DST, family, header.rtm_dst_len);
  route.src = a.PrefixOf(RTA_SRC, family, header.rtm_src_len);
  route.table = a.Get<std::uint32_t>(RTA_TABLE).value_or(header.rtm_table);
  route.type = header.rtm_type;
  route.scope = header.rtm_scope;
  route.tos = header.rtm_tos;
  route.protocol = header.rtm_protocol;
  route.flags = header.rtm_flags;
  route.metric = a.Get<std::uint32_t>(RTA_PRIORITY).value_or(0);
  route.prefsrc = a.Address(RTA_PREFSRC, family);
  route.nexthop_id = a.Get<std::uint32_t>(RTA_NH_ID).value_or(0);
  route.pref = a.Get<std::uint8_t>(RTA_PREF).value_or(0);
  route.expires = Expires(a);
  route.mtu = a.Nested(RTA_METRICS).Get<std::uint32_t>(RTAX_MTU).value_or(0);
  route.nexthops = DecodeNexthops(header, a, error);

  if (!error.ok()) return error.status();
  return route;
}

}  // namespace srcsel
