#include "lookup/default_rotation.hh"

#include <linux/rtnetlink.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "lookup/gateway_state.hh"

namespace srcsel {
namespace {

constexpr GatewayState kNoEntry = std::nullopt;

std::vector<DefaultRoute> Through(std::vector<GatewayState> states) {
  std::vector<DefaultRoute> routes;
  for (const GatewayState state : states) {
    DefaultRoute route;
    route.type = RTN_UNICAST;
    route.gateway = true;
    route.neighbour = state;
    routes.push_back(route);
  }
  return routes;
}

// The routes that lookups one after the other take, from an empty memory.
std::string Turns(const std::vector<DefaultRoute> &routes, int count, std::size_t found = 0,
                  std::uint8_t tos = 0) {
  std::vector<std::size_t> taken;
  int memory = -1;
  for (int i = 0; i < count; ++i) {
    const DefaultTurn turn = RotateDefault(routes, found, tos, memory);
    taken.push_back(turn.index);
    memory = turn.memory;
  }
  return absl::StrJoin(taken, " ");
}

std::string Any(const std::vector<DefaultRoute> &routes, std::size_t found = 0) {
  return absl::StrJoin(ChooseDefault(routes, found, 0).candidates, " ");
}

TEST(DefaultRotation, StaysWithAGatewayThatIsReachableOrUnknown) {
  for (const GatewayState good : {kNoEntry, GatewayState(NUD_REACHABLE)}) {
    EXPECT_EQ(Turns(Through({good, NUD_REACHABLE}), 3), "0 0 0");
    EXPECT_EQ(Any(Through({good, NUD_STALE})), "0");
  }
}

TEST(DefaultRotation, PassesAGatewayThatHasFailed) {
  EXPECT_EQ(Turns(Through({NUD_FAILED, kNoEntry}), 3), "1 1 1");
  EXPECT_EQ(Any(Through({NUD_FAILED, NUD_REACHABLE, NUD_STALE})), "1");
}

TEST(DefaultRotation, GoesRoundAmongGatewaysThatAreMerelyValid) {
  EXPECT_EQ(Turns(Through({NUD_STALE, NUD_STALE}), 5), "0 1 0 1 0");
  EXPECT_EQ(Turns(Through({NUD_STALE, NUD_DELAY, NUD_PERMANENT}), 5), "0 1 0 1 0");
  EXPECT_EQ(Any(Through({NUD_STALE, NUD_DELAY, NUD_PERMANENT})), "0 1");
}

TEST(DefaultRotation, KeepsTheOnlyValidGatewayAsLastResort) {
  EXPECT_EQ(Turns(Through({NUD_STALE, NUD_FAILED}), 3), "0 0 0");
  EXPECT_EQ(Any(Through({NUD_STALE, NUD_FAILED})), "0");
}

// Failed gateways are a last resort only beyond the remembered one.
TEST(DefaultRotation, TriesFailedGatewaysInTurnIfThereIsNothingElse) {
  EXPECT_EQ(Turns(Through({NUD_FAILED, NUD_FAILED, NUD_FAILED}), 5), "0 1 2 0 0");
  EXPECT_EQ(Any(Through({NUD_FAILED, NUD_FAILED, NUD_FAILED})), "0 1 2");
}

TEST(DefaultRotation, NeverTakesAnIncompleteGatewayForALastResort) {
  EXPECT_EQ(Turns(Through({NUD_INCOMPLETE, NUD_INCOMPLETE}), 3), "0 0 0");
  EXPECT_EQ(Turns(Through({NUD_INCOMPLETE, NUD_FAILED}), 3), "1 0 1");
}

TEST(DefaultRotation, LeavesASingleDefaultAlone) {
  EXPECT_EQ(RotateDefault(Through({NUD_FAILED}), 0, 0, 5), (DefaultTurn{0, 5}));
}

TEST(DefaultRotation, ForgetsWhereOnlyOneTakesPart) {
  std::vector<DefaultRoute> routes = Through({NUD_FAILED, kNoEntry});
  routes[1].metric = 10;
  EXPECT_EQ(RotateDefault(routes, 0, 0, 1), (DefaultTurn{0, -1}));
}

TEST(DefaultRotation, NeverFallsBackToAnotherMetric) {
  std::vector<DefaultRoute> routes = Through({NUD_FAILED, kNoEntry});
  routes[1].metric = 10;
  EXPECT_EQ(Any(routes), "0");
}

TEST(DefaultRotation, TakesOnlyGatewaysOfTheSameScopeIn) {
  const auto with_second = [](auto change) {
    std::vector<DefaultRoute> routes = Through({NUD_FAILED, kNoEntry, NUD_REACHABLE});
    change(routes[1]);
    return routes;
  };
  EXPECT_EQ(Any(with_second([](DefaultRoute &) {})), "1");
  EXPECT_EQ(Any(with_second([](DefaultRoute &r) { r.gateway = false; })), "2");
  EXPECT_EQ(Any(with_second([](DefaultRoute &r) { r.scope = RT_SCOPE_LINK; })), "2");
  EXPECT_EQ(Any(with_second([](DefaultRoute &r) { r.type = RTN_UNREACHABLE; })), "2");
}

TEST(DefaultRotation, DoesNothingUnlessTheFoundRouteIsTheFirst) {
  EXPECT_EQ(Any(Through({NUD_REACHABLE, NUD_FAILED}), 1), "1");
  std::vector<DefaultRoute> routes = Through({kNoEntry, NUD_FAILED, NUD_REACHABLE});
  routes[0].gateway = false;
  EXPECT_EQ(Any(routes, 1), "2");
  EXPECT_EQ(Any(routes, 0), "0");
}

TEST(DefaultRotation, DoesNothingForARouteThatIsNotUnicast) {
  std::vector<DefaultRoute> routes = Through({NUD_FAILED, kNoEntry});
  routes[0].type = RTN_LOCAL;
  EXPECT_EQ(Any(routes), "0");
}

TEST(DefaultRotation, PassesRoutesOfAnotherTos) {
  std::vector<DefaultRoute> routes = Through({kNoEntry, NUD_FAILED, kNoEntry});
  routes[0].tos = 0x10;
  EXPECT_EQ(Turns(routes, 2, 1), "2 2");
}

// A route of the lookup's tos is found first; those without a tos compete with it, whatever their
// metric: the kernel compares metrics only within a tos.
TEST(DefaultRotation, LetsRoutesWithoutTosCompeteWithThoseOfTheTos) {
  std::vector<DefaultRoute> routes = Through({NUD_FAILED, kNoEntry, kNoEntry, kNoEntry});
  routes[0].tos = routes[1].tos = 0x10;
  routes[1].metric = 5;
  routes[2].metric = 7;
  EXPECT_EQ(Turns(routes, 2, 0, 0x10), "2 2");
  EXPECT_EQ(Turns(routes, 2, 0, 0x50), "2 2") << "only the bits 0x1c count";
}

}  // namespace
}  // namespace srcsel
