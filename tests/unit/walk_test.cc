// The walk of the ip rules: from rule to rule, through tables, to a route or none.

#include <linux/fib_rules.h>

#include <gtest/gtest.h>

#include "engine/rules.h"
#include "fixtures.hh"

namespace srcsel {
namespace {

struct Answer {
  std::uint32_t verdict, pref;
  std::uint32_t table = 0, oif = 0;

  friend bool operator==(const Answer &, const Answer &) = default;
  friend std::ostream &operator<<(std::ostream &out, const Answer &a) {
    return out << "verdict " << a.verdict << " pref " << a.pref << " table " << a.table << " oif "
               << a.oif;
  }
};

Answer Routed(std::uint32_t pref, std::uint32_t table, std::uint32_t oif) {
  return {SRCSEL_ROUTED, pref, table, oif};
}

Answer Unreached(std::uint32_t pref) {
  return {SRCSEL_UNREACHED, pref};
}

const Answer kExhausted = Unreached(SRCSEL_NONE);

// Table 1 knows 10.0.0.0/8 by link 2, table 2 everything by link 3, which is of group 7.
const std::vector<Route> kRoutes = {RouteTo("10.0.0.0/8", 1, 2), RouteTo("0.0.0.0/0", 2, 3),
                                    RouteTo("fd00::/8", 1, 2), RouteTo("::/0", 2, 3)};

Answer Walk(const std::vector<Rule> &rules, const std::vector<Route> &routes,
            const srcsel_flow &flow) {
  State state = StateOf({}, routes);
  state.rules = rules;
  const Image image = ImageOf(state, {});
  const srcsel_memory memory = image.memory();
  srcsel_rule_walk walk{};
  walk.image = &memory;
  walk.head = &image.header();
  walk.flow = &flow;
  srcsel_walk_rules(&walk);
  if (walk.verdict != SRCSEL_ROUTED) return {walk.verdict, walk.pref};
  const srcsel_route *route = srcsel_route_at(&memory, walk.head, walk.route);
  return Routed(walk.pref, walk.table, route->oif);
}

Answer Walk(const std::vector<Rule> &rules, absl::string_view to = "10.0.0.1") {
  return Walk(rules, kRoutes, FlowTo(to));
}

Rule Acting(std::uint32_t pref, int action) {
  Rule rule = Lookup(pref, 0);
  rule.action = static_cast<std::uint8_t>(action);
  return rule;
}

Rule GoTo(std::uint32_t pref, std::uint32_t target) {
  Rule rule = Acting(pref, FR_ACT_GOTO);
  rule.goto_pref = target;
  return rule;
}

Rule To(absl::string_view prefix, Rule rule) {
  rule.to = Net(prefix);
  return rule;
}

TEST(Walk, TakesTheFirstTableThatKnowsTheDestination) {
  EXPECT_EQ(Walk({Lookup(10, 1), Lookup(20, 2)}), Routed(10, 1, 2));
  EXPECT_EQ(Walk({Lookup(10, 1), Lookup(20, 2)}, "11.0.0.1"), Routed(20, 2, 3));
  EXPECT_EQ(Walk({Lookup(10, 2), Lookup(20, 1)}), Routed(10, 2, 3));
}

TEST(Walk, GoesByRulesAndTablesOfTheFlowsFamily) {
  const std::vector<Rule> rules = {Lookup(10, 1), Lookup(20, 2, AF_INET6)};
  EXPECT_EQ(Walk(rules), Routed(10, 1, 2));
  EXPECT_EQ(Walk(rules, "fd00::1"), Routed(20, 2, 3));
}

TEST(Walk, OfNoRulesEndsNowhere) {
  EXPECT_EQ(Walk({}), kExhausted);
  EXPECT_EQ(Walk({Lookup(10, 1)}, "fd00::1"), kExhausted);
}

TEST(Walk, RunsOutWithoutNamingARule) {
  EXPECT_EQ(Walk({Lookup(10, 1)}, "11.0.0.1"), kExhausted);
  EXPECT_EQ(Walk({Acting(10, FR_ACT_NOP)}), kExhausted);
}

TEST(Walk, PassesATableWithoutRoutes) {
  EXPECT_EQ(Walk({Lookup(10, 99), Lookup(20, 2)}), Routed(20, 2, 3));
}

TEST(Walk, EndsAtARuleThatForbids) {
  for (const int action : {4, 6, 7, 8, 9}) {
    EXPECT_EQ(Walk({Acting(10, action), Lookup(20, 2)}), Unreached(10)) << action;
    EXPECT_EQ(Walk({To("11.0.0.0/8", Acting(10, action)), Lookup(20, 2)}), Routed(20, 2, 3));
  }
}

TEST(Walk, PassesNop) {
  EXPECT_EQ(Walk({Acting(10, FR_ACT_NOP), Lookup(20, 2)}), Routed(20, 2, 3));
}

TEST(Walk, JumpsForward) {
  EXPECT_EQ(Walk({GoTo(10, 30), Lookup(20, 1), Lookup(30, 2)}), Routed(30, 2, 3));
}

TEST(Walk, JumpsToTheFirstRuleOfThatPreferenceWhichMustHoldItself) {
  EXPECT_EQ(Walk({GoTo(10, 30), Lookup(20, 1), To("11.0.0.0/8", Lookup(30, 1)), Lookup(30, 2)}),
            Routed(30, 2, 3));
}

TEST(Walk, DoesNotJumpIfTheGotoDoesNotHold) {
  EXPECT_EQ(Walk({To("11.0.0.0/8", GoTo(10, 30)), Lookup(20, 1), Lookup(30, 2)}), Routed(20, 1, 2));
}

TEST(Walk, JumpsAgainAndAgain) {
  EXPECT_EQ(Walk({GoTo(10, 30), Lookup(20, 1), GoTo(30, 50), Lookup(40, 1), Lookup(50, 2)}),
            Routed(50, 2, 3));
}

TEST(Walk, PassesAGotoWithoutTarget) {
  EXPECT_EQ(Walk({GoTo(10, 15), Lookup(20, 1), Lookup(30, 2)}), Routed(20, 1, 2));
}

TEST(Walk, DiscardsWhatIsTooShort) {
  const auto suppressing = [](std::int32_t length) {
    Rule rule = Lookup(10, 1);
    rule.suppress_plen = length;
    return std::vector<Rule>{rule, Lookup(20, 2)};
  };
  EXPECT_EQ(Walk(suppressing(7)), Routed(10, 1, 2));
  EXPECT_EQ(Walk(suppressing(8)), Routed(20, 2, 3));
  EXPECT_EQ(Walk(suppressing(32)), Routed(20, 2, 3));
  EXPECT_EQ(Walk({suppressing(0)[0]}, "10.0.0.1"), Routed(10, 1, 2));
}

TEST(Walk, DiscardsADefaultRouteUnderLengthZero) {
  Rule main = Lookup(10, 2);
  main.suppress_plen = 0;
  EXPECT_EQ(Walk({main, Lookup(20, 1)}), Routed(20, 1, 2));
}

TEST(Walk, DiscardsWhatLeavesByAGroup) {
  const auto suppressing = [](std::uint32_t group) {
    Rule rule = Lookup(10, 2);
    rule.suppress_group = group;
    return std::vector<Rule>{rule, Lookup(20, 1)};
  };
  EXPECT_EQ(Walk(suppressing(7)), Routed(20, 1, 2));
  EXPECT_EQ(Walk(suppressing(0)), Routed(10, 2, 3));
}

// The kernel asks for the group of the nexthop it hashed to.
TEST(Walk, StopsWhereIPv6PathsLeaveByDifferentGroups) {
  Route route = RouteTo("::/0", 3, 2, "fd00::1");
  route.nexthops = {Via(2), Via(3)};
  Rule rule = Lookup(10, 3, AF_INET6);
  rule.suppress_group = 7;
  const Rule last = Lookup(20, 2, AF_INET6);
  const std::vector<Route> routes = {route, kRoutes[3]};
  EXPECT_EQ(Walk({rule, last}, routes, FlowTo("fd00::1")), (Answer{SRCSEL_UNKNOWABLE, 10}));
  rule.suppress_group = std::nullopt;
  EXPECT_EQ(Walk({rule, last}, routes, FlowTo("fd00::1")), Routed(10, 3, 2));
}

TEST(Walk, EndsAtARouteThatForbidsWhateverIsSuppressed) {
  for (const int type : {RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT}) {
    Rule main = Lookup(10, 3);
    main.suppress_plen = 0;
    const std::vector<Route> routes = {NoRouteTo("0.0.0.0/0", 3, type), kRoutes[1]};
    EXPECT_EQ(Walk({main, Lookup(20, 2)}, routes, FlowTo("10.0.0.1")), Unreached(10)) << type;
  }
}

TEST(Walk, LeavesATableAtThrow) {
  const std::vector<Route> routes = {RouteTo("10.0.0.0/8", 3, 2),
                                     NoRouteTo("10.1.0.0/16", 3, RTN_THROW), kRoutes[1]};
  EXPECT_EQ(Walk({Lookup(10, 3), Lookup(20, 2)}, routes, FlowTo("10.1.0.1")), Routed(20, 2, 3));
  EXPECT_EQ(Walk({Lookup(10, 3), Lookup(20, 2)}, routes, FlowTo("10.2.0.1")), Routed(10, 3, 2));
  EXPECT_EQ(Walk({Lookup(10, 3)}, routes, FlowTo("10.1.0.1")), kExhausted);
}

TEST(Walk, StopsWhereItCannotKnow) {
  Rule mine = Lookup(10, 1);
  mine.uids = Range32{0, 0};
  srcsel_flow flow = FlowTo("10.0.0.1");
  flow.unknown = SRCSEL_IN_UID;
  EXPECT_EQ(Walk({mine, Lookup(20, 2)}, kRoutes, flow), (Answer{SRCSEL_UNKNOWABLE, 10}));
  EXPECT_EQ(Walk({To("11.0.0.0/8", mine), Lookup(20, 2)}, kRoutes, flow), Routed(20, 2, 3));
  EXPECT_EQ(Walk({GoTo(5, 20), mine, Lookup(20, 2)}, kRoutes, flow), Routed(20, 2, 3));
}

TEST(Walk, OfThousandsOfRulesFindsTheLast) {
  std::vector<Rule> rules;
  for (std::uint32_t i = 0; i + 1 < SRCSEL_MAX_RULES; ++i)
    rules.push_back(To("11.0.0.0/8", Lookup(i, 1)));
  rules.push_back(Lookup(SRCSEL_MAX_RULES, 2));
  EXPECT_EQ(Walk(rules), Routed(SRCSEL_MAX_RULES, 2, 3));
}

}  // namespace
}  // namespace srcsel
