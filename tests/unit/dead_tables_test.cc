// Which tables that a mark leads to lead nowhere, and what is typed to mend it.

#include "agent/dead_tables.hh"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "fixtures.hh"

namespace srcsel {
namespace {

// As linux/if.h has them.
constexpr std::uint32_t kPointToPoint = 1 << 4;

// eth0 is the first way; eth1 is up and has 10.1.0.1/24; mark 0x64 leads to table 100.
State HostWith(std::vector<Route> more = {}) {
  Route first = RouteTo("0.0.0.0/0", RT_TABLE_MAIN, 2);
  first.nexthops = {Via(2, "10.0.0.254")};
  more.insert(more.begin(), std::move(first));
  State state = StateOf({On(2, "10.0.0.1/24"), On(3, "10.1.0.1/24")}, std::move(more));
  Rule rule = Lookup(90, 100);
  rule.mark = 100;
  rule.mark_mask = ~0U;
  state.rules.insert(state.rules.begin() + 1, rule);
  return state;
}

Route DefaultVia(const char *gateway, std::uint32_t table, std::uint32_t metric = 0) {
  Route route = RouteTo("0.0.0.0/0", table, 3);
  route.nexthops = {Via(3, gateway)};
  route.metric = metric;
  return route;
}

// Without what is the same of each: "ip rule 90 leads mark 0x64 to table 100".
std::string Found(const State &state) {
  const std::vector<DeadTable> found = FindDeadTables(state);
  if (found.size() != 1) return absl::StrCat(found.size(), " findings");
  const std::string begin = "ip rule 90 leads mark 0x64 to table 100";
  EXPECT_EQ(found[0].words.substr(0, begin.size()), begin);
  return absl::StrCat(found[0].words.substr(begin.size()), " | ", found[0].mend.typed, " | ",
                      found[0].mend.missing);
}

TEST(DeadTables, AreNoneThatLeadOn) {
  EXPECT_EQ(Found(HostWith({DefaultVia("10.1.0.254", 100)})), "0 findings");
  EXPECT_EQ(Found(HostWith({RouteTo("10.8.0.0/16", 100, 3)})), "0 findings") << "a VPN's";
  EXPECT_EQ(Found(HostWith({NoRouteTo("0.0.0.0/0", 100, RTN_PROHIBIT)})), "0 findings");
  Route local = RouteTo("0.0.0.0/0", 100, 1);
  local.type = RTN_LOCAL;
  EXPECT_EQ(Found(HostWith({local})), "0 findings") << "what TPROXY wants";
  Route halves = DefaultVia("10.1.0.254", 100);
  halves.nexthops[0].flags = RTNH_F_DEAD;
  halves.nexthops.push_back(Via(2, "10.0.0.254"));
  EXPECT_EQ(Found(HostWith({halves})), "0 findings");
}

TEST(DeadTables, AreThoseWhoseDefaultRouteSaysToGoOn) {
  EXPECT_EQ(
      Found(HostWith(
          {NoRouteTo("0.0.0.0/0", 100, RTN_THROW), DefaultVia("10.1.0.254", RT_TABLE_MAIN, 100)})),
      ", whose default route says to go on (throw): what has the mark is routed as if it had "
      "none | ip route del throw default table 100 && ip route add default via 10.1.0.254 dev "
      "eth1 table 100 | ");
  EXPECT_EQ(
      Found(HostWith({NoRouteTo("10.8.0.0/16", 100, RTN_THROW), DefaultVia("10.1.0.254", 100)})),
      "0 findings")
      << "what goes on is a part";
  EXPECT_EQ(
      Found(HostWith({NoRouteTo("0.0.0.0/0", 100, RTN_THROW)})),
      ", whose default route says to go on (throw): what has the mark is routed as if it had "
      "none |  | the gateway behind eth1, for: ip route del throw default table 100 && ip route "
      "add default via GATEWAY dev eth1 table 100");
}

TEST(DeadTables, AreNoneOfTheSystemsOwn) {
  for (const std::uint32_t table : {RT_TABLE_MAIN, RT_TABLE_DEFAULT, RT_TABLE_LOCAL}) {
    State state = HostWith();
    state.rules[1].table = table;
    EXPECT_EQ(Found(state), "0 findings") << table;
  }
}

TEST(DeadTables, AreThoseOfAFamilyThatHasAnAddress) {
  State state = HostWith({DefaultVia("10.1.0.254", 100)});
  Rule rule = state.rules[1];
  rule.family = AF_INET6;
  rule.from = rule.to = Prefix::Default(AF_INET6);
  state.rules.push_back(rule);
  EXPECT_EQ(Found(state), "0 findings");
  state.addresses.push_back(On(3, "fd00:1::1/64"));
  const std::vector<DeadTable> found = FindDeadTables(state);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].words,
            "ip -6 rule 90 leads mark 0x64 to table 100, which is empty: what has the mark is "
            "routed as if it had none");
  EXPECT_EQ(found[0].mend.ToString(),
            "what is missing is the gateway behind eth1, for: ip -6 route add default via GATEWAY "
            "dev eth1 table 100");
}

TEST(DeadTables, AreEmptyOrHaveOwnSubnetsAlone) {
  EXPECT_EQ(Found(HostWith()),
            ", which is empty: what has the mark is routed as if it had none |  | the gateway "
            "behind eth1, for: ip route add default via GATEWAY dev eth1 table 100");
  EXPECT_EQ(Found(HostWith({RouteTo("10.1.0.0/24", 100, 3)})),
            ", which has no default route: what has the mark is routed as if it had none |  | the "
            "gateway behind eth1, for: ip route add default via GATEWAY dev eth1 table 100");
}

TEST(DeadTables, GetTheGatewayThatIsKnown) {
  EXPECT_EQ(Found(HostWith({DefaultVia("10.1.0.254", RT_TABLE_MAIN, 500)})),
            ", which is empty: what has the mark is routed as if it had none | ip route add "
            "default via 10.1.0.254 dev eth1 table 100 | ");
  const auto on = [](const char *address) {
    State state = HostWith();
    state.addresses[1] = On(3, address);
    const std::string said = Found(state);
    return said.substr(said.find(" | ") + 3);
  };
  EXPECT_EQ(on("10.1.0.1/30"), "ip route add default via 10.1.0.2 dev eth1 table 100 | ");
  EXPECT_EQ(on("10.1.0.6/30"), "ip route add default via 10.1.0.5 dev eth1 table 100 | ");
  EXPECT_EQ(on("10.1.0.0/31"), "ip route add default via 10.1.0.1 dev eth1 table 100 | ");
  EXPECT_EQ(on("10.1.0.3/31"), "ip route add default via 10.1.0.2 dev eth1 table 100 | ");
}

TEST(DeadTables, OfAnInterfaceThatIsDown) {
  State state = HostWith();
  state.links[2].flags = 0;
  EXPECT_EQ(Found(state),
            ", which is empty, and eth1 is down: what has the mark is routed as if it had none | "
            "ip link set eth1 up | the gateway behind eth1, for: ip route add default via GATEWAY "
            "dev eth1 table 100");
  state.links[2].flags = kPointToPoint;
  EXPECT_EQ(Found(state),
            ", which is empty, and eth1 is down: what has the mark is routed as if it had none | "
            "ip link set eth1 up && ip route add default dev eth1 table 100 | ");
}

TEST(DeadTables, OfRoutesWithoutACarrier) {
  Route route = DefaultVia("10.1.0.254", 100);
  route.nexthops[0].flags = RTNH_F_LINKDOWN;
  constexpr char kCable[] = " |  | the carrier: see to the cable, or to what is at its other end";
  EXPECT_EQ(Found(HostWith({route})),
            absl::StrCat(", whose routes leave by eth1, without a carrier: what has the mark is "
                         "lost",
                         kCable));
  route.nexthops[0].flags = RTNH_F_LINKDOWN | RTNH_F_DEAD;  // ignore_routes_with_linkdown
  EXPECT_EQ(Found(HostWith({route})),
            absl::StrCat(", whose routes leave by eth1, without a carrier: what has the mark is "
                         "routed as if it had none",
                         kCable));
}

TEST(DeadTables, WhoseInterfaceIsNotKnown) {
  State state = HostWith();
  state.links.push_back({.index = 4, .name = "docker0", .flags = kUp});
  state.addresses.push_back(On(4, "172.17.0.1/16"));
  EXPECT_EQ(Found(state),
            ", which is empty: what has the mark is routed as if it had none |  | the interface it "
            "is for, and its gateway: ip route add default via GATEWAY dev INTERFACE table 100");
  Rule from = Lookup(91, 100);
  from.from = Net("10.1.0.0/24");
  state.rules.push_back(from);
  EXPECT_EQ(Found(state),
            ", which is empty: what has the mark is routed as if it had none |  | the gateway "
            "behind eth1, for: ip route add default via GATEWAY dev eth1 table 100");
}

}  // namespace
}  // namespace srcsel
