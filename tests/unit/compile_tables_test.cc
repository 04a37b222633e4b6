// Which of a prefix's routes an image keeps, and with which source.

#include "image/compile_tables.hh"

#include <linux/if.h>
#include <linux/neighbour.h>

#include <gtest/gtest.h>

#include "engine/table.h"
#include "fixtures.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kTable = 100;

// Link 2 yields 10.0.0.1, link 3 yields 10.1.0.1.
State With(std::vector<Route> routes) {
  return StateOf({On(2, "10.0.0.1/24"), On(3, "10.1.0.1/24")}, std::move(routes));
}

// The result of a lookup, in words: "none", "type 7", "10.0.0.1 dev 2", "ambiguous", "no source".
std::string Found(const State &state, const srcsel_flow &flow, std::uint32_t id = kTable) {
  const Image image = CompileForLookup(state, {}, 1)->image;
  const srcsel_memory memory = image.memory();
  const srcsel_header &head = image.header();
  const auto family = static_cast<srcsel_family>(flow.family);
  const std::uint32_t table = CompileTables(state, true)->Find(family, id);
  const std::uint32_t index = srcsel_search_table(&memory, &head, table, &flow);
  if (index == SRCSEL_NONE) return "unknown";
  const srcsel_route *route = srcsel_route_at(&memory, &head, index);
  if (route->type == RTN_UNSPEC) return "none";
  if (route->flags & SRCSEL_ROUTE_AMBIGUOUS) return "ambiguous";
  if (route->type != RTN_UNICAST) return absl::StrCat("type ", route->type);
  if (!(route->flags & SRCSEL_ROUTE_SOURCE)) return "no source";
  return absl::StrCat(FromWire(family, route->source).ToString(), " dev ", route->oif);
}

// As a hook asks, which does not know the tos.
std::string Found(const State &state, absl::string_view to, std::uint32_t id = kTable) {
  srcsel_flow flow = FlowTo(to);
  flow.unknown = SRCSEL_IN_DSCP;
  return Found(state, flow, id);
}

std::string Found(std::vector<Route> routes, absl::string_view to = "203.0.113.1") {
  return Found(With(std::move(routes)), to);
}

Route Default(std::uint32_t oif, absl::string_view source = "") {
  return RouteTo("0.0.0.0/0", kTable, oif, source);
}

Route Metric(std::uint32_t metric, Route route) {
  route.metric = metric;
  return route;
}

Route Tos(std::uint8_t tos, Route route) {
  route.tos = tos;
  return route;
}

Route Flagged(std::uint8_t flags, Route route) {
  for (Nexthop &nexthop : route.nexthops) nexthop.flags = flags;
  return route;
}

Route Expiring(std::int32_t hundredths, Route route) {
  route.expires = hundredths;
  return route;
}

Route Multipath(std::vector<Nexthop> nexthops, absl::string_view source = "",
                absl::string_view prefix = "0.0.0.0/0") {
  Route route = RouteTo(prefix, kTable, 0, source);
  route.scope = RT_SCOPE_UNIVERSE;
  route.nexthops = std::move(nexthops);
  return route;
}

TEST(CompileTables, KeepsARoutesParticulars) {
  Route route = RouteTo("203.0.113.0/24", kTable, 3, "10.1.0.1");
  route.metric = 77;
  route.nexthops = {Via(3, "10.1.0.254")};
  const CompiledTables tables = CompileTables(With({route})).value();
  ASSERT_EQ(tables.routes.size(), 2u);
  EXPECT_EQ(tables.routes[0].type, RTN_UNSPEC);
  EXPECT_EQ(tables.routes[0].from, SRCSEL_NONE);  // else a search goes round there
  const srcsel_route &r = tables.routes[1];
  EXPECT_EQ(FromWire(SRCSEL_V4, r.source), Address("10.1.0.1"));
  EXPECT_EQ(FromWire(SRCSEL_V4, r.gateway), Address("10.1.0.254"));
  EXPECT_EQ(std::tuple(r.oif, r.group, r.next), std::tuple(3u, 7u, 0u));
  EXPECT_EQ(std::tuple(r.type, r.plen, r.flags), std::tuple(RTN_UNICAST, 24, SRCSEL_ROUTE_SOURCE));
}

TEST(CompileTables, AGatewayOfTheOtherFamilyIsLeftOut) {
  Route route = Default(2);
  route.nexthops = {Via(2, "fe80::1")};
  const CompiledTables tables = CompileTables(With({route})).value();
  EXPECT_TRUE(FromWire(SRCSEL_V4, tables.routes[1].gateway).IsUnspecified());
  EXPECT_EQ(Found({route}), "10.0.0.1 dev 2");
}

TEST(CompileTables, TablesAndFamiliesAreApart) {
  const State state =
      With({Default(2), RouteTo("0.0.0.0/0", 200, 3), RouteTo("::/0", kTable, 2, "fd00::1")});
  EXPECT_EQ(Found(state, "203.0.113.1"), "10.0.0.1 dev 2");
  EXPECT_EQ(Found(state, "203.0.113.1", 200), "10.1.0.1 dev 3");
  EXPECT_EQ(Found(state, "2001:db8::1"), "fd00::1 dev 2");
  const CompiledTables tables = CompileTables(state).value();
  EXPECT_EQ(tables.Find(SRCSEL_V6, 200), SRCSEL_NONE);
  EXPECT_EQ(tables.Find(SRCSEL_V4, 300), SRCSEL_NONE);
}

TEST(CompileTables, EqualResultsAreStoredOnce) {
  std::vector<Route> routes;
  for (int i = 0; i < 100; ++i)
    routes.push_back(RouteTo(absl::StrCat("10.", i, ".0.0/16"), kTable, 2));
  EXPECT_EQ(CompileTables(With(routes))->routes.size(), 2u);
}

TEST(CompileTables, PrefsrcGoesBeforeTheLinksAddress) {
  EXPECT_EQ(Found({Default(2)}), "10.0.0.1 dev 2");
  EXPECT_EQ(Found({Default(2, "10.1.0.1")}), "10.1.0.1 dev 2");
}

TEST(CompileTables, WithoutAnAddressOnTheLinkAnotherLendsOne) {
  State state = With({Default(1)});
  EXPECT_EQ(Found(state, "203.0.113.1"), "ambiguous");
  state.device_order = {1, 3, 2};
  EXPECT_EQ(Found(state, "203.0.113.1"), "10.1.0.1 dev 1");
}

TEST(CompileTables, IPv6HasNoSourceWithoutPrefsrc) {
  EXPECT_EQ(Found({RouteTo("::/0", kTable, 2)}, "2001:db8::1"), "no source");
  EXPECT_EQ(Found({RouteTo("::/0", kTable, 2, "fd00::1")}, "2001:db8::1"), "fd00::1 dev 2");
}

TEST(CompileTables, RoutesFromASourceAreNotForUnboundSockets) {
  Route route = RouteTo("::/0", kTable, 2, "fd00::1");
  route.src = Net("fd00::/64");
  EXPECT_EQ(Found({route, RouteTo("::/0", kTable, 3, "fd00::2")}, "2001:db8::1"), "fd00::2 dev 3");
}

TEST(CompileTables, TypesThatForbidAreKept) {
  for (const int type : {RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT, RTN_THROW}) {
    EXPECT_EQ(Found({NoRouteTo("0.0.0.0/0", kTable, type)}), absl::StrCat("type ", type));
    EXPECT_EQ(Found({NoRouteTo("::/0", kTable, type)}, "2001:db8::1"), absl::StrCat("type ", type));
  }
}

TEST(CompileTables, TheLowestMetricWins) {
  EXPECT_EQ(Found({Metric(10, Default(2)), Metric(20, Default(3))}), "10.0.0.1 dev 2");
  const auto v6 = [](std::uint32_t oif, std::uint32_t metric, absl::string_view source) {
    return Metric(metric, RouteTo("::/0", kTable, oif, source));
  };
  EXPECT_EQ(Found({v6(2, 20, "fd00::1"), v6(3, 10, "fd00::2")}, "2001:db8::1"), "fd00::2 dev 3");
  EXPECT_EQ(Found({v6(2, 10, "fd00::1"), v6(3, 20, "fd00::2")}, "2001:db8::1"), "fd00::1 dev 2");
}

TEST(CompileTables, DeadNexthopsDropOut) {
  EXPECT_EQ(Found({Flagged(RTNH_F_DEAD, Metric(1, Default(2))), Metric(2, Default(3))}),
            "10.1.0.1 dev 3");
  EXPECT_EQ(Found({Flagged(RTNH_F_DEAD | RTNH_F_LINKDOWN, Default(2))}), "none");
  EXPECT_EQ(Found({Flagged(RTNH_F_DEAD, RouteTo("203.0.113.0/24", kTable, 2)), Default(3)}),
            "10.1.0.1 dev 3");
  EXPECT_EQ(Found({Flagged(RTNH_F_DEAD, RouteTo("::/0", kTable, 2, "fd00::1"))}, "2001:db8::1"),
            "none");
}

// The kernel adds DEAD to LINKDOWN where the link is to be ignored.
TEST(CompileTables, ALinkThatIsOnlyDownIsUsed) {
  EXPECT_EQ(Found({Flagged(RTNH_F_LINKDOWN, Default(2))}), "10.0.0.1 dev 2");
}

// By whether the first one's gateway answers; the kernel remembers which it took last.
TEST(CompileTables, DefaultsOfOneMetricRotate) {
  const auto found = [](std::vector<Route> routes, std::uint16_t neighbour) {
    State state = With(std::move(routes));
    state.neighbours = {{2, Address("10.0.0.254"), neighbour}};
    return Found(state, "203.0.113.1");
  };
  const auto via = [](std::uint32_t oif, absl::string_view gateway, absl::string_view source = "") {
    Route route = Default(oif, source);
    route.nexthops = {Via(oif, gateway)};
    return route;
  };
  const Route first = via(2, "10.0.0.254"), second = via(3, "10.1.0.254");
  EXPECT_EQ(found({first, second}, NUD_STALE), "ambiguous");
  EXPECT_EQ(found({first, second}, NUD_FAILED), "ambiguous");
  EXPECT_EQ(found({first, second}, NUD_REACHABLE), "10.0.0.1 dev 2");
  EXPECT_EQ(Found({first, second}), "10.0.0.1 dev 2");
  EXPECT_EQ(found({first, via(3, "10.1.0.254", "10.0.0.1")}, NUD_STALE), "10.0.0.1 dev 2");
  // What a lookup passes by takes its turn all the same.
  EXPECT_EQ(found({first, Flagged(RTNH_F_DEAD | RTNH_F_LINKDOWN, second)}, NUD_STALE), "ambiguous");
  EXPECT_EQ(found({first, Metric(1, second)}, NUD_STALE), "10.0.0.1 dev 2");
  EXPECT_EQ(found({first, Default(3)}, NUD_STALE), "10.0.0.1 dev 2");
}

TEST(CompileTables, OtherPrefixesDoNotRotate) {
  EXPECT_EQ(Found({RouteTo("203.0.113.0/24", kTable, 2), RouteTo("203.0.113.0/24", kTable, 3)}),
            "10.0.0.1 dev 2");
}

TEST(CompileTables, PathsWithOneSourceAreAsOne) {
  EXPECT_EQ(Found({Multipath({Via(2), Via(2, "10.0.0.254")})}), "10.0.0.1 dev 2");
  EXPECT_EQ(Found({Multipath({Via(2), Via(3)}, "10.1.0.1")}), "10.1.0.1 dev 2");
  EXPECT_EQ(Found({Multipath({Via(2), Via(3)}, "fd00::1", "::/0")}, "2001:db8::1"),
            "fd00::1 dev 2");
}

TEST(CompileTables, PathsWithSeveralSourcesAreAmbiguous) {
  EXPECT_EQ(Found({Multipath({Via(2), Via(3)})}), "ambiguous");
}

TEST(CompileTables, DeadPathsDoNotCount) {
  Route route = Multipath({Via(2), Via(3)});
  route.nexthops[0].flags = RTNH_F_DEAD;
  EXPECT_EQ(Found({route}), "10.1.0.1 dev 3");
}

TEST(CompileTables, ARouteForATosIsOnlyForIt) {
  const State state = With({Tos(0x10, Default(3)), Default(2)});
  srcsel_flow flow = FlowTo("203.0.113.1");
  EXPECT_EQ(Found(state, flow), "10.0.0.1 dev 2");
  for (const __u8 dscp : {__u8{0x04}, __u8{0x24}}) {  // of the six bits routes compare three
    flow.dscp = dscp;
    EXPECT_EQ(Found(state, flow), "10.1.0.1 dev 3");
  }
  flow.dscp = 0x02;
  EXPECT_EQ(Found(state, flow), "10.0.0.1 dev 2");
  EXPECT_EQ(Found(With({Tos(0x10, Default(3))}), flow), "none");
  EXPECT_EQ(Found(With({Tos(0xb8, Default(3))}), flow), "none");
}

TEST(CompileTables, WhoDoesNotKnowTheTosKnowsTheRouteOnlyIfTheSourceIsTheSame) {
  EXPECT_EQ(Found({Tos(0x10, Default(3)), Default(2)}), "unknown");
  EXPECT_EQ(Found({Tos(0x10, Metric(1, Default(2))), Default(2)}), "10.0.0.1 dev 2");
  EXPECT_EQ(Found({Tos(0x10, NoRouteTo("0.0.0.0/0", kTable, RTN_BLACKHOLE)), Default(2)}),
            "unknown");
  EXPECT_EQ(Found({Tos(0x10, RouteTo("203.0.113.0/24", kTable, 3)), Default(2)}), "unknown");
  EXPECT_EQ(Found({Tos(0x10, Default(3))}), "unknown");
}

// Whether it is there at all is unknown, so no rule may suppress it.
TEST(CompileTables, WhatMayNotBeThereIsNotSuppressed) {
  State state = With({Tos(0x10, RouteTo("203.0.113.0/24", kTable, 3)),
                      Tos(0x10, NoRouteTo("198.51.100.0/24", kTable, RTN_THROW))});
  Rule rule = Lookup(10, kTable);
  rule.suppress_plen = 32;
  rule.suppress_group = 7;
  state.rules.insert(state.rules.begin(), rule);
  for (const char *to : {"203.0.113.1", "198.51.100.1"}) {
    srcsel_flow flow = FlowTo(to);
    flow.unknown = SRCSEL_IN_DSCP;
    EXPECT_EQ(Why(Decide(ImageOf(state, {Binding("1")}), flow)), "ambiguous") << to;
  }
}

TEST(CompileTables, ExpiredRoutesDropOut) {
  const auto v6 = [](std::uint32_t oif, absl::string_view source) {
    return RouteTo("::/0", kTable, oif, source);
  };
  for (const std::int32_t hundredths : {0, -1, -1000})
    EXPECT_EQ(Found({Expiring(hundredths, v6(2, "fd00::1")), v6(3, "fd00::2")}, "2001:db8::1"),
              "fd00::2 dev 3");
  EXPECT_EQ(Found({Expiring(1, v6(2, "fd00::1"))}, "2001:db8::1"), "fd00::1 dev 2");
}

TEST(CompileTables, OfIPv6RoutesOfOneMetricThePreferredThenTheFirstWins) {
  const auto v6 = [](std::uint32_t oif, absl::string_view source, std::uint8_t pref = 0) {
    Route route = RouteTo("::/0", kTable, oif, source);
    route.pref = pref;
    return route;
  };
  constexpr std::uint8_t kHigh = 1, kLow = 3;
  EXPECT_EQ(Found({v6(2, "fd00::1"), v6(3, "fd00::2")}, "2001:db8::1"), "fd00::1 dev 2");
  EXPECT_EQ(Found({v6(2, "fd00::1"), v6(3, "fd00::2", kHigh)}, "2001:db8::1"), "fd00::2 dev 3");
  EXPECT_EQ(Found({v6(2, "fd00::1", kLow), v6(3, "fd00::2")}, "2001:db8::1"), "fd00::2 dev 3");
}

// Linux 6.18, find_rr_leaf() and fib6_table_lookup(): reachable ones of this and shorter prefixes,
// then all again.
TEST(CompileTables, IPv6GatewaysThatFailedGoLast) {
  const auto via = [](absl::string_view prefix, std::uint32_t oif, absl::string_view gateway,
                      absl::string_view source) {
    Route route = RouteTo(prefix, kTable, oif, source);
    route.nexthops = {Via(oif, gateway)};
    return route;
  };
  const auto found = [&](std::vector<const char *> failed, bool forwarding = false) {
    State state = With({via("::/0", 2, "fe80::1", "fd00::1"), via("::/0", 3, "fe80::2", "fd00::2"),
                        via("2001:db8::/32", 2, "fe80::3", "fd00::3")});
    for (const char *gateway : failed)
      for (const std::uint32_t oif : {2u, 3u})
        state.neighbours.push_back({oif, Address(gateway), NUD_FAILED});
    state.settings.forwarding6_all = forwarding;
    return Found(state, "2001:db8::1");
  };
  EXPECT_EQ(found({}), "fd00::3 dev 2");
  EXPECT_EQ(found({"fe80::3"}), "fd00::1 dev 2");
  EXPECT_EQ(found({"fe80::3", "fe80::1"}), "fd00::2 dev 3");
  EXPECT_EQ(found({"fe80::3", "fe80::1", "fe80::2"}), "fd00::3 dev 2");
  EXPECT_EQ(found({"fe80::3"}, true), "fd00::3 dev 2");
}

srcsel_flow BoundTo(std::uint32_t oif, absl::string_view to = "203.0.113.1") {
  srcsel_flow flow = FlowTo(to);
  flow.oif = oif;
  return flow;
}

TEST(CompileTables, AFlowOfADeviceTakesOnlyRoutesOfThatDevice) {
  const State state = With({RouteTo("203.0.113.0/24", kTable, 2),
                            RouteTo("203.0.0.0/16", kTable, 2), RouteTo("203.0.0.0/8", kTable, 3),
                            Metric(1, RouteTo("203.0.0.0/8", kTable, 2)), Default(1)});
  EXPECT_EQ(Found(state, BoundTo(2)), "10.0.0.1 dev 2");
  EXPECT_EQ(Found(state, BoundTo(3)), "10.1.0.1 dev 3");
  EXPECT_EQ(Found(state, BoundTo(4)), "none");
  EXPECT_EQ(Found(state, FlowTo("203.1.1.1")), "10.1.0.1 dev 3");
  EXPECT_EQ(Found(state, BoundTo(2, "203.1.1.1")), "10.0.0.1 dev 2");
}

TEST(CompileTables, AFlowOfADeviceTakesItsPathOfSeveral) {
  const State state = With({Multipath({Via(2), Via(3)})});
  EXPECT_EQ(Found(state, FlowTo("203.0.113.1")), "ambiguous");
  EXPECT_EQ(Found(state, BoundTo(2)), "10.0.0.1 dev 2");
  EXPECT_EQ(Found(state, BoundTo(3)), "10.1.0.1 dev 3");
  EXPECT_EQ(Found(state, BoundTo(1)), "none");
}

TEST(CompileTables, WhatForbidsEndsTheSearchOfEveryDeviceInIPv4Only) {
  const State state = With({NoRouteTo("203.0.0.0/8", kTable, RTN_BLACKHOLE), Default(3)});
  EXPECT_EQ(Found(state, BoundTo(3)), "type 6");
  Route forbids = RouteTo("2001::/16", kTable, 1);
  forbids.type = RTN_BLACKHOLE;
  const State v6 = With({forbids, RouteTo("::/0", kTable, 3, "fd00::1")});
  EXPECT_EQ(Found(v6, FlowTo("2001:db8::1")), "type 6");
  EXPECT_EQ(Found(v6, BoundTo(3, "2001:db8::1")), "fd00::1 dev 3");
}

TEST(CompileTables, APreferredDeviceDecidesAmongRivals) {
  State state = With({RouteTo("::/0", kTable, 2, "fd00::1"), RouteTo("::/0", kTable, 3, "fd00::2"),
                      Metric(1, RouteTo("::/0", kTable, 1, "fd00::3"))});
  srcsel_flow flow = BoundTo(3, "2001:db8::1");
  flow.facts = SRCSEL_FACT_LOOSE;
  EXPECT_EQ(Found(state, flow), "fd00::2 dev 3");
  flow.oif = 1;
  EXPECT_EQ(Found(state, flow), "fd00::1 dev 2");
}

// A nexthop object that does not leave by the flow's device hides the prefix's other routes.
TEST(CompileTables, ANexthopObjectEndsItsPrefix) {
  Route object = RouteTo("203.0.113.0/24", kTable, 2);
  object.nexthop_id = 1;
  State state = With({object, Metric(1, RouteTo("203.0.113.0/24", kTable, 3, "10.1.0.7")),
                      RouteTo("203.0.0.0/8", kTable, 3)});
  state.nexthops.resize(1);
  state.nexthops[0].id = 1;
  state.nexthops[0].family = AF_INET;
  state.nexthops[0].oif = 2;
  state.nexthops[0].scope = RT_SCOPE_HOST;
  for (Link &link : state.links) link.flags = IFF_UP | IFF_LOWER_UP;
  EXPECT_EQ(Found(state, FlowTo("203.0.113.1")), "10.0.0.1 dev 2");
  EXPECT_EQ(Found(state, BoundTo(3)), "10.1.0.1 dev 3");
}

TEST(CompileTables, RoutesFromASourceAreForThatSource) {
  Route route = RouteTo("2001:db8::/32", kTable, 2, "fd00::1");
  route.src = Net("fd00::/64");
  const State state = With({route, RouteTo("::/0", kTable, 3, "fd00::2")});
  srcsel_flow flow = FlowTo("2001:db8::1");
  EXPECT_EQ(Found(state, flow), "fd00::2 dev 3");
  flow.src = KeyOf(Address("fd00::5"));
  EXPECT_EQ(Found(state, flow), "fd00::1 dev 2");
  flow.src = KeyOf(Address("fd01::5"));
  EXPECT_EQ(Found(state, flow), "fd00::2 dev 3");
}

// Local and main may be one trie as long as nobody has touched the rules.
TEST(CompileTables, ALongerPrefixOfMainWithinAnAnyIpPrefixIsAmbiguous) {
  Route any_ip = RouteTo("10.9.0.0/16", RT_TABLE_LOCAL, 1);
  any_ip.type = RTN_LOCAL;
  State state = With({any_ip, RouteTo("10.9.9.9/32", RT_TABLE_MAIN, 2)});
  EXPECT_EQ(Found(state, "10.9.9.9", RT_TABLE_LOCAL), "ambiguous");
  EXPECT_EQ(Found(state, "10.9.9.8", RT_TABLE_LOCAL), "type 2");
  state.rules.push_back(Lookup(40000, kTable));
  EXPECT_EQ(Found(state, "10.9.9.9", RT_TABLE_LOCAL), "type 2");
}

TEST(CompileTables, HasALimitOfDistinctRoutes) {
  std::vector<Route> routes;
  for (std::uint32_t i = 0; i + 1 < SRCSEL_MAX_ROUTES; ++i)
    routes.push_back(
        Metric(i, RouteTo(absl::StrCat("10.", i / 256, ".", i % 256, ".0/24"), kTable, 2)));
  const absl::StatusOr<CompiledTables> most = CompileTables(With(routes));
  ASSERT_TRUE(most.ok()) << most.status();
  EXPECT_EQ(most->routes.size(), SRCSEL_MAX_ROUTES);
  routes.push_back(Metric(SRCSEL_MAX_ROUTES, RouteTo("11.0.0.0/24", kTable, 2)));
  EXPECT_EQ(CompileTables(With(routes)).status(),
            absl::ResourceExhaustedError(
                "compile tables: 65536 distinct routes, at most 65535 fit into an image"));
}

}  // namespace
}  // namespace srcsel
