#include "differential/hosts/draw_flow.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <functional>
#include <string>

namespace srcsel {
namespace {

IpAddress Inside(Draw &draw, const Prefix &prefix) {
  IpAddress::Bytes bytes = prefix.address.bytes();
  const bool sparse = draw.Once(2);
  for (int bit = prefix.length; bit < prefix.address.bits(); ++bit)
    if (sparse ? draw.Once(12) : draw.Once(2))
      bytes[static_cast<std::size_t>(bit) / 8] ^= static_cast<std::uint8_t>(0x80 >> (bit % 8));
  return IpAddress::FromBytes(prefix.address.family(), bytes.data());
}

std::uint16_t PortIn(Draw &draw, const Range16 &range) {
  switch (draw.Below(6)) {
    case 0:
      return range.first;
    case 1:
      return range.last;
    case 2:
      return static_cast<std::uint16_t>(range.last + 1);
    default:
      return static_cast<std::uint16_t>(range.first + draw.Below(range.last - range.first + 1u));
  }
}

// Ports of a mask too: a rule's range is then the one port.
std::uint16_t PortOf(Draw &draw, const Range16 &range, std::optional<std::uint16_t> mask) {
  const std::uint16_t port = PortIn(draw, range);
  return mask ? static_cast<std::uint16_t>(range.first | (draw.Below(0x10000) & ~*mask)) : port;
}

IpAddress Special(Draw &draw, int family) {
  static const std::vector<const char *> kSpecial4 = {
      "0.0.0.0",   "127.0.0.1", "127.9.9.9",   "255.255.255.255", "224.0.0.5", "239.1.2.3",
      "240.0.0.1", "0.1.2.3",   "169.254.1.1", "192.0.2.1",       "10.1.0.255"};
  static const std::vector<const char *> kSpecial6 = {
      "::",      "::1",         "fe80::f250", "fe80::1:1", "ff02::1",   "ff05::5",
      "ff0e::1", "2001:db8::1", "fec0::7",    "2002:1::7", "::10.0.0.1"};
  return IpAddress::Parse(draw.OneOf(family == AF_INET ? kSpecial4 : kSpecial6)).value();
}

// Few flows that aim at something else meet these.
bool IsRare(const Rule &rule) {
  return rule.dscp || rule.dscp_mask || rule.sport_mask || rule.dport_mask;
}

}  // namespace

FlowDrawer::FlowDrawer(const State &state) : state_(state) {
  for (const Rule &rule : state.rules)
    rules_[rule.family == AF_INET6].insert(rules_[rule.family == AF_INET6].end(),
                                           IsRare(rule) ? 4 : 1, &rule);
  for (const Routes::Entry &route : state.routes.entries())
    routes_[!route.dst.address.is_v4()].push_back(route);
  for (const InterfaceAddress &address : state.addresses)
    own_[!address.local.is_v4()].push_back(address.local);
}

Flow FlowDrawer::Next(Draw &draw, int family) const {
  const std::vector<const Rule *> &rules = rules_[family == AF_INET6];
  const Rule *rule = rules.empty() || draw.Once(3) ? nullptr : draw.OneOf(rules);
  Flow flow;
  flow.destination = DrawDestination(draw, family, rule ? rule->table : 0);
  flow.source = IpAddress::Any(family);
  flow.proto = draw.Once(2) ? IPPROTO_TCP : IPPROTO_UDP;
  flow.dport = draw.OneOf(std::vector<std::uint16_t>{53, 80, 443, 7777});
  DrawTerms(draw, family, flow);
  if (rule) Aim(draw, *rule, flow);
  if (flow.dport == 0) flow.dport = 7777;
  return flow;
}

void FlowDrawer::DrawTerms(Draw &draw, int family, Flow &flow) const {
  static const std::vector<std::uint32_t> kMarks = {1, 2, 0x11, 0x64, 0x101, 0xf1};
  static const std::vector<std::uint8_t> kTos = {0x10, 0x08, 0x04, 0x18, 0x13, 0x50, 0xb8, 0x20};
  static const std::vector<std::uint32_t> kUids = {0, 1, 1000, 1999, 2000, 70000};
  if (draw.Once(3)) flow.mark = draw.OneOf(kMarks);
  if (draw.Once(3)) flow.tos = draw.OneOf(kTos);
  if (draw.Once(3)) flow.uid = draw.OneOf(kUids);
  if (draw.Once(6)) flow.oif = draw.OneOf(state_.links).index;
  if (draw.Once(4)) flow.source = DrawSource(draw, family);
  if (draw.Once(4)) flow.sport = static_cast<std::uint16_t>(1024 + draw.Below(64000));
  if (draw.Once(8)) flow.sport = draw.OneOf(std::vector<std::uint16_t>{2000, 2001, 5005, 40000});
  if (draw.Once(20)) flow.broadcast = true;
  if (draw.Once(40)) flow.transparent = true;
  if (family == AF_INET) return;
  if (draw.Once(6)) flow.label = draw.OneOf(std::vector<std::uint32_t>{0x12, 0x10, 0x11f, 0x70});
  if (draw.Once(10)) flow.prefer = 1 + draw.Below(2);
  if (draw.Once(10)) flow.oif_strict = false;
}

IpAddress FlowDrawer::DrawSource(Draw &draw, int family) const {
  const std::vector<IpAddress> &own = own_[family == AF_INET6];
  if (!own.empty() && !draw.Once(8)) return draw.OneOf(own);
  return IpAddress::Parse(family == AF_INET ? "203.0.113.1" : "2001:db8:ffff::1").value();
}

IpAddress FlowDrawer::DrawDestination(Draw &draw, int family, std::uint32_t table) const {
  const std::vector<Routes::Entry> &all = routes_[family == AF_INET6];
  if (all.empty() || draw.Once(12)) return Special(draw, family);
  const Routes::Entry *route = &draw.OneOf(all);
  // Those of the local table are many and all alike.
  for (int more = 0; more < 12; ++more) {
    const std::uint32_t found = state_.routes.TermsOf(*route).table;
    if (found == table || (table == 0 && (found != RT_TABLE_LOCAL || more > 3))) break;
    route = &draw.OneOf(all);
  }
  return Inside(draw, route->dst);
}

std::uint32_t FlowDrawer::IndexOf(const std::string &name) const {
  const auto link = std::ranges::find(state_.links, name, &Link::name);
  return link == state_.links.end() ? 0 : link->index;
}

void FlowDrawer::Aim(Draw &draw, const Rule &rule, Flow &flow) const {
  std::vector<std::function<void()>> has;
  if (rule.to.length) has.push_back([&] { flow.destination = Inside(draw, rule.to); });
  if (rule.from.length)
    has.push_back([&] {
      for (const IpAddress &own : own_[rule.family == AF_INET6])
        if (rule.from.Contains(own) && (flow.source.IsUnspecified() || draw.Once(3)))
          flow.source = own;
    });
  if (rule.mark_mask)
    has.push_back(
        [&] { flow.mark = (flow.mark & ~rule.mark_mask) | (rule.mark & rule.mark_mask); });
  if (!rule.oif.empty()) has.push_back([&] { flow.oif = IndexOf(rule.oif); });
  if (rule.tos) has.push_back([&] { flow.tos = rule.tos; });
  if (rule.dscp)
    has.push_back([&] {
      const std::uint8_t mask = rule.dscp_mask.value_or(0x3f);
      flow.tos = static_cast<std::uint8_t>((*rule.dscp | (draw.Below(64) & ~mask)) << 2);
    });
  if (rule.proto) has.push_back([&] { flow.proto = rule.proto; });
  if (rule.sports) has.push_back([&] { flow.sport = PortOf(draw, *rule.sports, rule.sport_mask); });
  if (rule.dports) has.push_back([&] { flow.dport = PortOf(draw, *rule.dports, rule.dport_mask); });
  if (rule.uids)
    has.push_back([&] {
      flow.uid =
          rule.uids->first + draw.Below(std::min(rule.uids->last - rule.uids->first + 1, 5u));
    });
  if (rule.flow_label) has.push_back([&] { flow.label = *rule.flow_label; });
  const std::size_t missing =
      draw.Once(4) && !has.empty() ? draw.Below(static_cast<unsigned>(has.size())) : has.size();
  for (std::size_t i = 0; i < has.size(); ++i)
    if (i != missing) has[i]();
}

}  // namespace srcsel
