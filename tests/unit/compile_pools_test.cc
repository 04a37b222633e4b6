#include "image/compile_pools.hh"

#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "fixtures.hh"

namespace srcsel {
namespace {

State Host(std::vector<const char *> addresses) {
  std::vector<InterfaceAddress> on;
  for (const char *address : addresses) on.push_back(On(2, address));
  return StateOf(std::move(on), {});
}

std::string Slots(const Pool &pool, const State &state, int family = AF_INET) {
  const srcsel_family f = family == AF_INET ? SRCSEL_V4 : SRCSEL_V6;
  std::vector<std::string> texts;
  for (const srcsel_slot &slot : CompilePool(pool, state, family))
    texts.push_back(FromWire(f, slot.source).ToString());
  return absl::StrJoin(texts, " ");
}

const Pool kThree{"three",
                  {{Address("10.0.0.1"), 2}, {Address("10.0.0.2"), 4}, {Address("10.0.0.3"), 2}},
                  Pick::kHash};

TEST(CompilePool, GivesSlotsByWeightInTurns) {
  EXPECT_EQ(Slots(kThree, Host({"10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24"})),
            "10.0.0.2 10.0.0.1 10.0.0.3 10.0.0.2");
}

TEST(CompilePool, LendsTheSlotsOfWhoIsGone) {
  EXPECT_EQ(Slots(kThree, Host({"10.0.0.1/24", "10.0.0.3/24"})),
            "10.0.0.1 10.0.0.1 10.0.0.3 10.0.0.3");
  EXPECT_EQ(Slots(kThree, Host({"10.0.0.9/24"})), "");
}

TEST(CompilePool, KeepsFamiliesApart) {
  const Pool both{"both", {{Address("10.0.0.1"), 1}, {Address("fd00::1"), 3}}, Pick::kHash};
  const State host = Host({"10.0.0.1/24", "fd00::1/64"});
  EXPECT_EQ(Slots(both, host), "10.0.0.1");
  EXPECT_EQ(Slots(both, host, AF_INET6), "fd00::1");
}

TEST(CompilePool, MayLeaveTheChoiceToTheKernel) {
  const Pool half{"half", {{Address("10.0.0.1"), 1}, {std::nullopt, 1}}, Pick::kHash};
  EXPECT_EQ(Slots(half, Host({"10.0.0.1/24"})), "10.0.0.1 0.0.0.0");
  EXPECT_EQ(Slots(half, Host({}), AF_INET6), "::");
}

TEST(CompilePool, FollowsInterfacesAndLocalRoutes) {
  const Pool lent{"lent", {{DeviceSource{"eth0"}, 1}, {DeviceSource{"ppp0"}, 1}}, Pick::kHash};
  EXPECT_EQ(Slots(lent, Host({"10.0.0.7/24"})), "10.0.0.7 10.0.0.7");
  const Pool any{"any", {{Address("192.0.2.55"), 1}}, Pick::kHash};
  State state = StateOf({}, {[] {
                          Route route = RouteTo("192.0.2.0/24", RT_TABLE_LOCAL, 1);
                          route.type = RTN_LOCAL;
                          return route;
                        }()});
  EXPECT_EQ(Slots(any, state), "192.0.2.55");
}

}  // namespace
}  // namespace srcsel
