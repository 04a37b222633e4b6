// Words for tests: addresses, routes, flows and images in one line each.
//
// Whatever a caller does not say is the most ordinary value there is. A text that is no address
// ends the test.

#pragma once

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "image/compile.hh"
#include "image/key.hh"
#include "lookup/decide.hh"
#include "policy/policy.hh"
#include "state/state.hh"
#include <srcsel/abi.h>
#include <srcsel/address.hh>

namespace srcsel {

// The namespace that StateOf() and FlowTo() speak of.
inline constexpr std::uint64_t kNetns = 4711;

inline IpAddress Address(absl::string_view text) {
  return IpAddress::Parse(text).value();
}

inline Prefix Net(absl::string_view text) {
  return Prefix::Parse(text).value();
}

// An unbound TCP socket of uid 1000 and command curl, connecting to port 443.
inline srcsel_flow FlowTo(absl::string_view destination) {
  const IpAddress to = Address(destination);
  srcsel_flow flow{};
  flow.family = static_cast<__u8>(FamilyOf(to));
  flow.dst = KeyOf(to);
  flow.netns = kNetns;
  flow.proto = IPPROTO_TCP;
  flow.dport = 443;
  flow.uid = 1000;
  std::strcpy(flow.comm, "curl");
  return flow;
}

inline InterfaceAddress On(std::uint32_t ifindex, absl::string_view subnet,
                           std::uint8_t scope = RT_SCOPE_UNIVERSE, std::uint32_t flags = 0) {
  const Prefix prefix = Net(subnet);
  return {ifindex, prefix.address, prefix, scope, flags};
}

inline Nexthop Via(std::uint32_t oif, absl::string_view gateway = "") {
  Nexthop nexthop;
  nexthop.oif = oif;
  if (!gateway.empty()) nexthop.gateway = Address(gateway);
  return nexthop;
}

// A unicast route out of `oif`.
inline Route RouteTo(absl::string_view prefix, std::uint32_t table, std::uint32_t oif,
                     absl::string_view source = "") {
  Route route;
  route.dst = Net(prefix);
  route.src = Prefix::Default(route.dst.address.family());
  route.table = table;
  route.type = RTN_UNICAST;
  route.scope = RT_SCOPE_LINK;
  if (!source.empty()) route.prefsrc = Address(source);
  route.nexthops = {Via(oif)};
  return route;
}

// A route of a type that leads nowhere; in IPv6 it has lo for a nexthop.
inline Route NoRouteTo(absl::string_view prefix, std::uint32_t table, int type) {
  Route route = RouteTo(prefix, table, 0);
  route.type = static_cast<std::uint8_t>(type);
  route.nexthops.clear();
  if (!route.dst.address.is_v4()) route.nexthops = {Via(1)};
  return route;
}

inline Rule Lookup(std::uint32_t pref, std::uint32_t table, int family = AF_INET) {
  Rule rule;
  rule.family = family;
  rule.from = rule.to = Prefix::Default(family);
  rule.pref = pref;
  rule.table = table;
  return rule;
}

// IFF_UP, which two headers that exclude each other define.
inline constexpr std::uint32_t kUp = 1;

// Links 1 (lo), 2 (eth0) and 3 (eth1); the rules the kernel starts with.
inline State StateOf(std::vector<InterfaceAddress> addresses, std::vector<Route> routes) {
  State state;
  state.netns = kNetns;
  state.links = {{.index = 1, .name = "lo"},
                 {.index = 2, .name = "eth0", .flags = kUp},
                 {.index = 3, .name = "eth1", .flags = kUp, .group = 7}};
  state.addresses = std::move(addresses);
  state.routes = std::move(routes);
  state.rules = {Lookup(0, RT_TABLE_LOCAL), Lookup(32766, RT_TABLE_MAIN),
                 Lookup(32767, RT_TABLE_DEFAULT), Lookup(0, RT_TABLE_LOCAL, AF_INET6),
                 Lookup(32766, RT_TABLE_MAIN, AF_INET6)};
  return state;
}

inline PolicyRule Marking(absl::string_view mark) {
  PolicyRule rule;
  rule.mark = Mark::Parse(mark).value();
  return rule;
}

// The source of the tables, as if marked.
inline PolicyRule Binding(absl::string_view mark) {
  PolicyRule rule = Marking(mark);
  rule.apply = Apply::kBind;
  return rule;
}

inline PolicyRule Sourcing(std::vector<Source> sources) {
  PolicyRule rule;
  rule.sources = std::move(sources);
  return rule;
}

inline PolicyRule Pooling(const std::vector<const char *> &addresses, Pick pick = Pick::kHash) {
  Pool pool{"pool", {}, pick};
  for (const char *address : addresses) pool.members.push_back({Address(address), 1});
  PolicyRule rule;
  rule.pool = std::make_shared<const Pool>(std::move(pool));
  return rule;
}

inline Image ImageOf(const State &state, std::vector<PolicyRule> rules) {
  return Compile(state, Policy{std::move(rules)}, 1).value();
}

inline std::string SourceText(const srcsel_flow &flow, const srcsel_decision &decision) {
  return FromWire(static_cast<srcsel_family>(flow.family), decision.source).ToString();
}

inline absl::string_view Why(const srcsel_decision &decision) {
  return ReasonText(decision.reason);
}

}  // namespace srcsel
