// The ip rule by which a source leaves by its own uplink: where it is put, and that it helps there.

#include "agent/steering_rule.hh"

#include <algorithm>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/steering_commands.hh"
#include "fixtures.hh"
#include "lookup/select.hh"

namespace srcsel {
namespace {

using testing::ElementsAre;

Route DefaultIn(std::uint32_t table, std::uint32_t device, const char *gateway) {
  Route route = RouteTo("0.0.0.0/0", table, device);
  route.nexthops = {Via(device, gateway)};
  return route;
}

class SteeringRuleTest : public testing::Test {
 protected:
  static Rule ByMark(std::uint32_t pref, const Mark &mark, std::uint32_t table) {
    Rule rule = Lookup(pref, table);
    rule.mark = mark.value;
    rule.mark_mask = mark.mask;
    return rule;
  }
  static Rule By(std::uint32_t pref, const char *from, std::uint32_t table) {
    Rule rule = Lookup(pref, table);
    rule.from = Net(from);
    return rule;
  }
  void Add(const Rule &rule) {
    const auto place = std::ranges::find_if(state_.rules, [&](const Rule &other) {
      return other.family != rule.family || other.pref > rule.pref;
    });
    state_.rules.insert(place, rule);
  }
  Way WayOf(std::vector<const char *> destinations) const {
    Way way{UplinkOf(Address("10.1.0.1"), state_), {}};
    for (const char *destination : destinations) {
      Flow flow;
      flow.destination = Address(destination);
      flow.source = way.uplink.address;
      way.flows.push_back(std::move(flow));
    }
    return way;
  }
  Steering Find(std::vector<const char *> destinations = {"192.0.2.80"}) const {
    return FindSteering(WayOf(std::move(destinations)), state_).value();
  }
  // The interfaces by which flows from 10.1.0.1 with these marks leave.
  std::vector<std::uint32_t> LeaveBy(std::vector<std::uint32_t> marks) const {
    const auto snapshot = Snapshot::Make(state_, 1).value();
    std::vector<std::uint32_t> devices;
    for (const std::uint32_t mark : marks) {
      Flow flow = WayOf({"192.0.2.80"}).flows.front();
      flow.mark = mark;
      devices.push_back(Lookup(*snapshot, flow).outcome.oif);
    }
    return devices;
  }

  // By 2 leaves what no rule leads elsewhere; table 100 leads to 3, table 200 to 2.
  State state_ =
      StateOf({On(2, "10.0.0.1/24"), On(3, "10.1.0.1/24")},
              {RouteTo("10.0.0.0/24", RT_TABLE_MAIN, 2), RouteTo("10.1.0.0/24", RT_TABLE_MAIN, 3),
               DefaultIn(RT_TABLE_MAIN, 2, "10.0.0.254"), DefaultIn(100, 3, "10.1.0.254"),
               DefaultIn(200, 2, "10.0.0.253")});
};

TEST_F(SteeringRuleTest, StandsBeforeTheMainTable) {
  ASSERT_THAT(LeaveBy({0}), ElementsAre(2));
  const Steering steering = Find();
  ASSERT_TRUE(steering.rule);
  EXPECT_EQ(SteeringWords(*steering.rule), "pref 32765 from 10.1.0.1 lookup 100");
  Add(*steering.rule);
  EXPECT_THAT(LeaveBy({0, 5}), ElementsAre(3, 3));
}

TEST_F(SteeringRuleTest, TakesNothingFromMarks) {
  Add(ByMark(32765, {5}, 200));
  Add(ByMark(7, {6, 0xf}, 200));
  const Steering steering = Find();
  ASSERT_TRUE(steering.rule);
  EXPECT_EQ(steering.rule->pref, 32765u);
  Add(*steering.rule);
  EXPECT_THAT(LeaveBy({0, 5, 0x16}), ElementsAre(3, 2, 2));
}

TEST_F(SteeringRuleTest, StandsBeforeTheRuleThatLeadsElsewhere) {
  Add(ByMark(500, {5}, 200));
  Add(By(1000, "10.1.0.0/24", 200));
  const Steering steering = Find();
  ASSERT_TRUE(steering.rule);
  EXPECT_EQ(steering.rule->pref, 999u);
  Add(*steering.rule);
  EXPECT_THAT(LeaveBy({0, 5}), ElementsAre(3, 2));
}

TEST_F(SteeringRuleTest, StandsBeforeTheFirstOfSeveral) {
  Add(By(32765, "10.1.0.0/24", RT_TABLE_MAIN));
  Rule to = By(32764, "10.0.0.0/8", 200);
  to.to = Net("198.51.100.0/24");
  Add(to);
  EXPECT_EQ(Find().rule->pref, 32764u) << "not all flows are asked about";
  EXPECT_EQ(Find({"192.0.2.80", "198.51.100.1"}).rule->pref, 32763u);
}

// What has no mark is led by a rule by fwmark, too, and before that of another mark.
TEST_F(SteeringRuleTest, IsNoneWhereItWouldTakeFromAMark) {
  Add(ByMark(1000, {0, 0xff}, 200));
  Add(ByMark(2000, {5, 0xff}, 200));
  const Steering steering = Find();
  EXPECT_FALSE(steering.rule);
  ASSERT_TRUE(steering.overruling);
  EXPECT_EQ(steering.overruling->pref, 999u);
  EXPECT_EQ(steering.overruled, 2000u);
  EXPECT_EQ(CommandsThatSteer(WayOf({"192.0.2.80"}), state_)->ToString(),
            "what is missing is a place for a rule that takes nothing from ip rule 2000, by "
            "fwmark, as this one does: ip rule add pref 999 from 10.1.0.1 lookup 100");
}

TEST_F(SteeringRuleTest, MayStandBeforeAMarkThatLeadsTheSameWay) {
  Add(ByMark(1000, {0, 0xff}, 200));
  Add(ByMark(2000, {5, 0xff}, 100));
  const Steering steering = Find();
  ASSERT_TRUE(steering.rule);
  Add(*steering.rule);
  EXPECT_THAT(LeaveBy({0, 5}), ElementsAre(3, 3));
}

TEST_F(SteeringRuleTest, HasNoPlaceBeforeTheFirst) {
  Add(By(1, "10.1.0.0/24", 200));
  const Steering steering = Find();
  EXPECT_FALSE(steering.rule || steering.overruling);
}

TEST_F(SteeringRuleTest, OfANewTableStandsThereToo) {
  Add(By(1000, "10.1.0.0/24", 200));
  EXPECT_EQ(UntriedSteering(WayOf({"192.0.2.80"}), 300, state_)->pref, 999u);
}

}  // namespace
}  // namespace srcsel
