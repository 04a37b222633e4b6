// Synthetic states and policies that exercise every part of the engine, and destinations that meet
// them. Nothing of a state needs to be true of any namespace: two engines are compared, not an
// engine with the kernel.

#pragma once

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "draw.hh"
#include "policy/policy.hh"
#include "state/state.hh"

namespace srcsel {

// What sockets and rules have in common.
inline const std::vector<std::uint32_t> kMarks = {1, 2, 0x11, 0x64};
inline const std::vector<std::uint16_t> kPorts = {53, 80, 443, 8080};
inline const std::vector<uid_t> kUids = {0, 1000, 70000};
inline const std::vector<std::string> kComms = {"curl", "nginx", "fifteen-letters"};

// A namespace in which the sources below can be bound, all but the last of each family, and in
// which every destination has a route.
inline constexpr char kHostWords[] =
    "link set lo up\n"
    "link add v0 type veth peer name v1\n"
    "link set v0 addrgenmode none\n"
    "link set v1 addrgenmode none\n"
    "link set v0 up\n"
    "link set v1 up\n"
    "address add 10.0.0.1/24 dev v0\n"
    "address add 10.0.0.2/24 dev v0\n"
    "address add fd00::1/64 dev v0 nodad\n"
    "address add fd00::2/64 dev v0 nodad\n"
    "address add fd00::3/64 dev v0 nodad\n"
    "address add fd00::4/64 dev v0 nodad\n"
    "route add default via 10.0.0.254\n"
    "route add default via fd00::fe\n";

inline IpAddress OwnAddress(Draw &draw, int family) {
  const unsigned host = draw.Once(8) ? 9 : 1 + draw.Below(2);
  return IpAddress::Parse(absl::StrCat(family == AF_INET ? "10.0.0." : "fd00::", host)).value();
}

// Few values in the upper bits, so that prefixes nest and destinations fall into them.
inline IpAddress AddressNear(Draw &draw, int family) {
  return IpAddress::Parse(
             family == AF_INET
                 ? absl::StrCat("20.", draw.Below(4), ".", draw.Below(4) * 64, ".", draw.Below(256))
                 : absl::StrCat("fd20:", draw.Below(4), ":", draw.Below(4),
                                "000:8000::", draw.Below(9)))
      .value();
}

inline IpAddress DrawDestination(Draw &draw) {
  static const std::vector<std::string> kSpecial = {
      "0.0.0.0",  "127.0.0.1",  "169.254.1.1", "224.0.0.5",  "255.255.255.255",
      "10.0.0.1", "10.0.0.255", "192.0.2.1",   "::",         "::1",
      "fe80::1",  "ff02::1",    "fd00::1",     "2001:db8::1"};
  if (draw.Once(8)) return IpAddress::Parse(draw.OneOf(kSpecial)).value();
  return AddressNear(draw, draw.Once(2) ? AF_INET : AF_INET6);
}

inline Prefix PrefixNear(Draw &draw, int family) {
  const int length =
      draw.Once(8) ? 0 : static_cast<int>(6 + draw.Below(family == AF_INET ? 27 : 123));
  return Prefix{AddressNear(draw, family), length}.Network();
}

inline Route DrawRoute(Draw &draw, int family) {
  static const std::vector<std::uint8_t> kTypes = {RTN_UNREACHABLE, RTN_BLACKHOLE, RTN_PROHIBIT,
                                                   RTN_THROW, RTN_LOCAL};
  Route route;
  route.dst = PrefixNear(draw, family);
  route.src = Prefix::Default(family);
  if (family == AF_INET6 && draw.Once(10))
    route.src = Prefix::Parse(draw.Once(2) ? "::/1" : "fd00::/16").value();
  route.table = draw.Once(3) ? std::uint32_t{RT_TABLE_MAIN} : 100 + draw.Below(4);
  route.type = draw.Once(10) ? draw.OneOf(kTypes) : std::uint8_t{RTN_UNICAST};
  route.metric = draw.Below(3);
  if (!draw.Once(3)) route.prefsrc = OwnAddress(draw, family);
  route.nexthops.resize(draw.Once(10) ? 2 : 1);
  for (Nexthop &nexthop : route.nexthops) {
    nexthop.oif = 1 + draw.Below(3);
    if (draw.Once(20)) nexthop.flags = RTNH_F_DEAD;
  }
  return route;
}

// What IPv6 routes without a source of their own choose from: fd00::3 and ::4, which can be bound,
// and some that cannot.
inline void DrawSources6(Draw &draw, State &state) {
  static const std::vector<std::uint32_t> kFlags = {
      0, 0, 0, IFA_F_TEMPORARY, IFA_F_DEPRECATED, IFA_F_OPTIMISTIC, IFA_F_TENTATIVE};
  for (Link &link : state.links) {
    link.use_tempaddr = static_cast<std::int32_t>(draw.Below(3));
    link.optimistic_dad = link.use_optimistic = draw.Once(2);
    link.use_oif_addrs_only = draw.Once(8);
    if (!draw.Once(6)) state.device_order.push_back(link.index);
    for (unsigned left = draw.Once(20) ? 200 : draw.Below(4); left > 0; --left) {
      const IpAddress address =
          draw.Once(6) ? AddressNear(draw, AF_INET6)
                       : IpAddress::Parse(absl::StrCat("fd00::", 3 + draw.Below(2))).value();
      state.addresses.push_back({link.index,
                                 address,
                                 {address, static_cast<int>(draw.Below(129))},
                                 RT_SCOPE_UNIVERSE,
                                 draw.OneOf(kFlags)});
    }
  }
  for (unsigned left = draw.Below(9); left > 0; --left)
    state.labels.push_back({PrefixNear(draw, AF_INET6), draw.Below(4), draw.Below(3)});
}

inline Rule DrawRule(Draw &draw, int family) {
  Rule rule;
  rule.family = family;
  rule.from = rule.to = Prefix::Default(family);
  rule.table = 100 + draw.Below(5);
  rule.pref = 1 + draw.Below(30);
  rule.flags = draw.Once(6) ? 2 : 0;
  if (draw.Once(2)) rule.mark = draw.OneOf(kMarks), rule.mark_mask = draw.Once(3) ? 0xf : 0xff;
  if (draw.Once(4)) rule.to = PrefixNear(draw, family);
  if (draw.Once(8)) rule.from = {IpAddress::Any(family), 1};
  if (draw.Once(6)) rule.proto = draw.Once(2) ? IPPROTO_TCP : IPPROTO_UDP;
  if (draw.Once(6)) rule.dports = Range16{draw.OneOf(kPorts), 8080};
  if (draw.Once(20)) rule.sports = Range16{1, 40000};
  if (draw.Once(20)) rule.uids = Range32{0, 999};
  if (draw.Once(30)) rule.tos = 0x10;
  if (draw.Once(20)) rule.iif = draw.Once(2) ? "lo" : "eth0";
  if (draw.Once(20)) rule.oif = "eth0";
  if (draw.Once(40)) rule.flow_label = 1;
  if (draw.Once(8)) rule.suppress_plen = static_cast<std::int32_t>(draw.Below(33));
  if (draw.Once(10)) rule.suppress_group = draw.Below(3);
  static const std::vector<std::uint8_t> kActions = {2, 2, 3, 6, 7, 8, 99};
  if (draw.Once(4)) rule.action = draw.OneOf(kActions);
  if (rule.action == 2) rule.goto_pref = rule.pref + 1 + draw.Below(8);
  return rule;
}

inline void AddLocalTable(State &state) {
  const auto add = [&](const char *prefix, std::uint8_t type) {
    Route route;
    route.dst = Prefix::Parse(prefix).value();
    route.src = Prefix::Default(route.dst.address.family());
    route.table = RT_TABLE_LOCAL;
    route.type = type;
    route.nexthops.resize(1);
    state.routes.push_back(route);
  };
  add("10.0.0.1/32", RTN_LOCAL);
  add("10.0.0.255/32", RTN_BROADCAST);
  add("192.0.2.0/24", RTN_LOCAL);
  add("fd00::1/128", RTN_LOCAL);
}

// IFF_UP, which two headers that exclude each other define.
inline constexpr std::uint32_t kUp = 1;

inline State DrawState(Draw &draw, std::uint64_t netns) {
  State state;
  state.netns = netns;
  state.links = {{.index = 1, .name = "lo"},
                 {.index = 2, .name = "eth0", .flags = draw.Once(9) ? 0u : kUp, .group = 1},
                 {.index = 3, .name = "eth1", .flags = kUp, .group = 2}};
  const IpAddress own = IpAddress::Parse("10.0.0.1").value();
  if (!draw.Once(6)) state.addresses = {{2, own, {own, 24}, RT_SCOPE_UNIVERSE, 0}};
  DrawSources6(draw, state);
  AddLocalTable(state);
  for (const int family : {AF_INET, AF_INET6}) {
    const unsigned routes = draw.Once(3) ? 1500 : 40, rules = draw.Once(6) ? 300 : 12;
    for (unsigned i = 0; i < routes; ++i) state.routes.push_back(DrawRoute(draw, family));
    for (unsigned i = 0; i < rules; ++i) state.rules.push_back(DrawRule(draw, family));
    Rule main;
    main.family = family;
    main.pref = 1000;
    main.table = RT_TABLE_MAIN;
    main.from = main.to = Prefix::Default(family);
    state.rules.push_back(main);
  }
  std::ranges::stable_sort(state.rules, {}, &Rule::pref);
  return state;
}

// Now and then one that the host does not have.
inline IpAddress AddressOrNone(Draw &draw, int family) {
  return draw.Once(2) ? AddressNear(draw, family) : OwnAddress(draw, family);
}

inline std::shared_ptr<const Pool> DrawPool(Draw &draw) {
  Pool pool{"pool", {}, draw.Once(2) ? Pick::kHash : Pick::kRandom};
  for (unsigned i = 1 + draw.Below(3); i > 0; --i) {
    PoolMember member{std::nullopt, 1 + draw.Below(5)};
    const int family = draw.Once(2) ? AF_INET : AF_INET6;
    if (!draw.Once(6)) member.source = AddressOrNone(draw, family);
    pool.members.push_back(member);
  }
  return std::make_shared<const Pool>(pool);
}

// Many properties at once are more than an image has dimensions: of group and class, one.
inline PolicyRule DrawPolicyRule(Draw &draw, const Cgroup &cgroup, bool by_class) {
  PolicyRule rule;
  const int family = draw.Once(2) ? AF_INET : AF_INET6;
  if (draw.Once(2)) rule.to = {PrefixNear(draw, family), PrefixNear(draw, family)};
  if (draw.Once(4))
    rule.protos = {static_cast<std::uint8_t>(draw.Once(2) ? IPPROTO_TCP : IPPROTO_UDP)};
  if (draw.Once(4)) rule.dports = {{draw.OneOf(kPorts), 8080}};
  if (draw.Once(5)) rule.uids = {{draw.OneOf(kUids), 70000}};
  if (draw.Once(5)) {
    const bool is_callers = draw.Once(2);
    if (by_class)
      rule.classids = {{is_callers ? 0u : 1u, 70000}};
    else
      rule.gids = {{0, is_callers ? 0u : 70000u}};
  }
  if (draw.Once(8)) rule.marks = {Mark{draw.Once(2) ? 0u : draw.OneOf(kMarks), 0xff}};
  if (draw.Once(5)) rule.cgroups = {draw.Once(3) ? Cgroup{"", cgroup.id + 1, 1} : cgroup};
  if (draw.Once(5)) rule.comms = {draw.OneOf(kComms)};
  rule.plain_tos = draw.Once(6);
  rule.leave = draw.Once(12);
  if (rule.leave) return rule;
  const unsigned action = draw.Below(8);
  if (action != 4 && action != 5) rule.mark = Mark{draw.OneOf(kMarks), 0xff};
  if (action < 4) rule.apply = Apply::kBind;
  if (action == 4 || action == 6) rule.sources = {OwnAddress(draw, family)};
  if (action == 5) rule.sources = {DeviceSource{draw.Once(2) ? "eth0" : "eth1"}};
  if (action == 7) rule.pool = DrawPool(draw);
  if (draw.Once(8))
    rule.ports = Range16{20000, static_cast<std::uint16_t>(20000 + draw.Below(400))};
  if (draw.Once(4)) rule.on_fail = OnFail::kReject;
  return rule;
}

inline Policy DrawPolicy(Draw &draw, const Cgroup &cgroup) {
  Policy policy;
  const unsigned rules = draw.Once(4) ? 200 : 1 + draw.Below(6);
  const bool by_class = draw.Once(2);
  for (unsigned i = 0; i < rules; ++i)
    policy.rules.push_back(DrawPolicyRule(draw, cgroup, by_class));
  return policy;
}

}  // namespace srcsel
