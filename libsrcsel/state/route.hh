// A route as the kernel dumps it: where to, and on which terms.
//
// A full table has prefixes by the hundred thousand and ways out by the dozen, so the terms are a
// value of their own, which Routes (routes.hh) keeps once.

#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <srcsel/address.hh>

namespace srcsel {

struct Nexthop {
  std::uint32_t oif = 0;             // 0: none (blackhole and the like)
  std::optional<IpAddress> gateway;  // RTA_GATEWAY or RTA_VIA; may be of the other family
  std::uint16_t weight = 1;          // rtnh_hops + 1
  std::uint8_t flags = 0;            // RTNH_F_* (DEAD 1, LINKDOWN 16 ...)
  bool encap = false;                // has a lightweight tunnel

  friend bool operator==(const Nexthop &, const Nexthop &) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Nexthop &n) {
    return H::combine(std::move(h), n.oif, n.gateway.value_or(IpAddress()), n.weight, n.flags,
                      n.encap);
  }
};

// What a nexthop of an IPv6 route came with when it was added by itself.
struct OwnTerms {
  std::optional<IpAddress> prefsrc;
  std::uint32_t mtu = 0;
  bool hidden = false;  // it could not be learned

  friend bool operator==(const OwnTerms &, const OwnTerms &) = default;

  template <typename H>
  friend H AbslHashValue(H h, const OwnTerms &s) {
    return H::combine(std::move(h), s.prefsrc.value_or(IpAddress()), s.mtu, s.hidden);
  }
};

struct RouteTerms {
  Prefix src;  // IPv6 source-specific routes only
  std::uint32_t table = 0;
  std::uint8_t type = 0;   // RTN_*
  std::uint8_t scope = 0;  // RT_SCOPE_*
  std::uint8_t tos = 0;
  std::uint8_t protocol = 0;  // RTPROT_*
  std::uint32_t flags = 0;    // rtm_flags
  std::uint32_t metric = 0;
  std::optional<IpAddress> prefsrc;
  std::uint32_t nexthop_id = 0;         // RTA_NH_ID, 0: none
  std::uint8_t pref = 0;                // ICMPV6_ROUTER_PREF_*
  std::optional<std::int32_t> expires;  // hundredths of a second left; below 0 it has expired
  std::uint32_t mtu = 0;                // RTAX_MTU, 0: none
  std::vector<Nexthop> nexthops;        // one, or several for RTA_MULTIPATH
  std::vector<OwnTerms> own;            // IPv6, of each nexthop; empty: none has any of its own
  bool not_all_shown = false;           // IPv6: no listing has all of its prefix and metric

  friend bool operator==(const RouteTerms &, const RouteTerms &) = default;

  template <typename H>
  friend H AbslHashValue(H h, const RouteTerms &t) {
    return H::combine(std::move(h), t.src, t.table, t.type, t.scope, t.tos, t.protocol, t.flags,
                      t.metric, t.prefsrc.value_or(IpAddress()), t.nexthop_id, t.pref,
                      t.expires.value_or(0), t.mtu, t.nexthops, t.own, t.not_all_shown);
  }
};

struct Route : RouteTerms {
  Prefix dst;

  friend bool operator==(const Route &, const Route &) = default;
};

}  // namespace srcsel
