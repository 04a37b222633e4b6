// Which of a prefix's routes an image keeps, and with which source.

#include "image/compile_tables.hh"

#include <gtest/gtest.h>

#include "engine/trie.h"
#include "fixtures.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kTable = 100;

// Link 2 yields 10.0.0.1, link 3 yields 10.1.0.1.
State With(std::vector<Route> routes) {
  return StateOf({On(2, "10.0.0.1/24"), On(3, "10.1.0.1/24")}, std::move(routes));
}

// The result of a lookup, in words: "none", "type 7", "10.0.0.1 dev 2", "ambiguous", "no source".
std::string Found(const State &state, absl::string_view to, std::uint32_t id = kTable) {
  const Image image = ImageOf(state, {});
  const srcsel_memory memory = image.memory();
  const srcsel_header &head = image.header();
  const srcsel_key key = KeyOf(Address(to));
  const srcsel_family family = FamilyOf(Address(to));
  const std::uint32_t table = CompileTables(state)->Find(family, id);
  const srcsel_route *route =
      srcsel_route_at(&memory, &head, srcsel_find(&memory, &head, table, &key));
  if (route->type == RTN_UNSPEC) return "none";
  if (route->flags & SRCSEL_ROUTE_AMBIGUOUS) return "ambiguous";
  if (route->type != RTN_UNICAST) return absl::StrCat("type ", route->type);
  if (!(route->flags & SRCSEL_ROUTE_SOURCE)) return "no source";
  return absl::StrCat(FromWire(family, route->source).ToString(), " dev ", route->oif);
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

Route Expiring(std::int32_t seconds, Route route) {
  route.expires = seconds;
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
  const srcsel_route &r = tables.routes[1];
  EXPECT_EQ(FromWire(SRCSEL_V4, r.source), Address("10.1.0.1"));
  EXPECT_EQ(FromWire(SRCSEL_V4, r.gateway), Address("10.1.0.254"));
  EXPECT_EQ(std::tuple(r.oif, r.table, r.metric, r.group), std::tuple(3u, kTable, 77u, 7u));
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

TEST(CompileTables, WithoutAnAddressOnTheLinkThereIsNoSource) {
  EXPECT_EQ(Found({Default(1)}), "no source");
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

TEST(CompileTables, DefaultsOfOneMetricRotate) {
  EXPECT_EQ(Found({Default(2), Default(3)}), "ambiguous");
  EXPECT_EQ(Found({Default(2, "10.0.0.1"), Default(3, "10.0.0.1")}), "10.0.0.1 dev 2");
  EXPECT_EQ(Found({Default(2), Flagged(RTNH_F_DEAD, Default(3))}), "10.0.0.1 dev 2");
  EXPECT_EQ(Found({Default(2), Metric(1, Default(3))}), "10.0.0.1 dev 2");
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
  EXPECT_EQ(Found({Multipath({Via(2), Via(1)})}), "ambiguous");
}

TEST(CompileTables, DeadPathsDoNotCount) {
  Route route = Multipath({Via(2), Via(3)});
  route.nexthops[0].flags = RTNH_F_DEAD;
  EXPECT_EQ(Found({route}), "10.1.0.1 dev 3");
}

TEST(CompileTables, ARouteForATosBesideOneForAllMayStandInForIt) {
  EXPECT_EQ(Found({Tos(0x10, Default(3)), Default(2)}), "ambiguous");
  EXPECT_EQ(Found({Tos(0x10, Default(3, "10.0.0.1")), Default(2)}), "10.0.0.1 dev 2");
  EXPECT_EQ(Found({Tos(0x10, NoRouteTo("0.0.0.0/0", kTable, RTN_BLACKHOLE)), Default(2)}),
            "ambiguous");
}

// A flow of another tos does not see it and goes on to a shorter prefix.
TEST(CompileTables, ARouteForATosAloneIsAmbiguous) {
  EXPECT_EQ(Found({Tos(0x10, RouteTo("203.0.113.0/24", kTable, 3)), Default(2)}), "ambiguous");
  EXPECT_EQ(Found({Tos(0x10, Default(3))}), "ambiguous");
}

// Whether it is there at all is unknown, so no rule may suppress it.
TEST(CompileTables, WhatMayNotBeThereIsNotSuppressed) {
  State state = With({Tos(0x10, RouteTo("203.0.113.0/24", kTable, 3)),
                      Tos(0x10, NoRouteTo("198.51.100.0/24", kTable, RTN_THROW))});
  Rule rule = Lookup(10, kTable);
  rule.suppress_plen = 32;
  rule.suppress_group = 7;
  state.rules.insert(state.rules.begin(), rule);
  for (const char *to : {"203.0.113.1", "198.51.100.1"})
    EXPECT_EQ(Why(Decide(ImageOf(state, {Binding("1")}), FlowTo(to))), "ambiguous") << to;
}

TEST(CompileTables, ExpiredRoutesDropOut) {
  const auto v6 = [](std::uint32_t oif, absl::string_view source) {
    return RouteTo("::/0", kTable, oif, source);
  };
  for (const std::int32_t seconds : {0, -1, -1000})
    EXPECT_EQ(Found({Expiring(seconds, v6(2, "fd00::1")), v6(3, "fd00::2")}, "2001:db8::1"),
              "fd00::2 dev 3");
  EXPECT_EQ(Found({Expiring(1, v6(2, "fd00::1"))}, "2001:db8::1"), "fd00::1 dev 2");
}

TEST(CompileTables, SeveralIPv6RoutesOfOneMetricAreOneOnlyIfTheirSourcesAre) {
  const auto v6 = [](std::uint32_t oif, absl::string_view source) {
    return RouteTo("::/0", kTable, oif, source);
  };
  EXPECT_EQ(Found({v6(2, "fd00::1"), v6(3, "fd00::2")}, "2001:db8::1"), "ambiguous");
  EXPECT_EQ(Found({v6(2, "fd00::1"), v6(3, "fd00::1")}, "2001:db8::1"), "fd00::1 dev 2");
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
