#include "agent/default_route.hh"

#include <linux/if.h>

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/in_netns.hh"

namespace srcsel {
namespace {

// Of any default route by the interface; one without a gateway needs none.
std::optional<Nexthop> OtherDefaultBy(const Link &link, int family, const State &state) {
  for (const Routes::Entry &route : state.routes.entries()) {
    if (route.dst != Prefix::Default(family)) continue;
    for (const Nexthop &nexthop : state.routes.TermsOf(route).nexthops)
      if (nexthop.oif == link.index) return nexthop;
  }
  return std::nullopt;
}

// Of 10.1.0.1/30 it is 10.1.0.2.
std::optional<IpAddress> OnlyOtherHost(const InterfaceAddress &own) {
  const int spare = own.local.bits() - own.subnet.length;
  if (!own.local.is_v4() || own.local != own.subnet.address || spare < 1 || spare > 2)
    return std::nullopt;
  IpAddress::Bytes bytes = own.local.bytes();
  const unsigned host = bytes[3] & 3U;
  if (spare == 2 && (host == 0 || host == 3)) return std::nullopt;
  bytes[3] ^= spare == 2 ? 3U : 1U;
  return IpAddress::FromBytes(AF_INET, bytes.data());
}

// "via 10.1.0.254 dev eth1", "dev ppp0".
std::optional<std::string> WayOut(const Link &link, int family, const State &state) {
  const std::string dev = absl::StrCat("dev ", link.name);
  const auto via = [&](const IpAddress &gateway) {
    const char *inet6 = gateway.family() == family ? "" : "inet6 ";
    return absl::StrCat("via ", inet6, gateway.ToString(), " ", dev);
  };
  if (const auto nexthop = OtherDefaultBy(link, family, state))
    return nexthop->gateway ? via(*nexthop->gateway) : dev;
  if (link.flags & (IFF_POINTOPOINT | IFF_NOARP)) return dev;
  for (const InterfaceAddress &own : state.addresses)
    if (own.ifindex == link.index && own.local.family() == family)
      if (const auto host = OnlyOtherHost(own)) return via(*host);
  return std::nullopt;
}

}  // namespace

std::string Commands::WhatIsMissing() const {
  return missing.empty() ? "" : absl::StrCat("what is missing is ", missing);
}

std::string Commands::ToString() const {
  return absl::StrCat(AsTyped(typed), typed.empty() || missing.empty() ? "" : "; ",
                      WhatIsMissing());
}

Commands CommandsForDefault(const Link &link, const std::string &table, int family,
                            const State &state, absl::string_view first, absl::string_view then) {
  const auto way = WayOut(link, family, state);
  const std::string add = absl::StrCat(
      first, family == AF_INET ? "ip" : "ip -6", " route add default ",
      way.value_or(absl::StrCat("via GATEWAY dev ", link.name)), " table ", table, then);
  const std::string set_up =
      link.flags & IFF_UP ? "" : absl::StrCat("ip link set ", link.name, " up");
  if (!way)
    return {set_up, absl::StrCat("the gateway behind ", link.name, ", for: ", AsTyped(add))};
  return {absl::StrCat(set_up, set_up.empty() ? "" : " && ", add), ""};
}

}  // namespace srcsel
