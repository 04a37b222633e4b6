// The flows that stand for all that a rule of a policy holds for.

#include "agent/sample_flows.hh"

#include <set>

#include <gtest/gtest.h>

#include "fixtures.hh"

namespace srcsel {
namespace {

std::set<std::string> Destinations(const PolicyRule &rule, int family) {
  std::set<std::string> texts;
  for (const Flow &flow : SampleFlows(rule, family)) texts.insert(flow.destination.ToString());
  return texts;
}

TEST(SampleFlows, GoToEachPrefixOfTheFamily) {
  PolicyRule rule;
  rule.to = {Net("10.0.0.0/8"), Net("fd00::/8")};
  rule.sets = {std::make_shared<PrefixSet>(PrefixSet{"a", {Net("192.0.2.0/24")}})};
  EXPECT_EQ(Destinations(rule, AF_INET), (std::set<std::string>{"10.0.0.0", "192.0.2.0"}));
  EXPECT_EQ(Destinations(rule, AF_INET6), (std::set<std::string>{"fd00::"}));
}

TEST(SampleFlows, GoHereAndThereIfTheRuleIsForAll) {
  PolicyRule rule;
  const auto v4 = Destinations(rule, AF_INET), v6 = Destinations(rule, AF_INET6);
  EXPECT_GT(v4.size(), 16u);
  EXPECT_GT(v6.size(), 4u);
  rule.to = {Net("0.0.0.0/0")};
  EXPECT_EQ(Destinations(rule, AF_INET), v4);
  EXPECT_TRUE(Destinations(rule, AF_INET6).empty());
}

TEST(SampleFlows, ThinOutALargeSetEvenly) {
  PrefixSet set{"a", {}};
  for (int i = 0; i < 65536; ++i)
    set.prefixes.push_back(
        Net("10." + std::to_string(i >> 8) + "." + std::to_string(i & 255) + ".0/24"));
  PolicyRule rule;
  rule.sets = {std::make_shared<PrefixSet>(set)};
  const auto destinations = Destinations(rule, AF_INET);
  EXPECT_EQ(destinations.size(), 4096u);
  EXPECT_TRUE(destinations.contains("10.0.0.0"));
  EXPECT_TRUE(destinations.contains("10.128.0.0"));
  EXPECT_TRUE(destinations.contains("10.255.240.0"));
}

TEST(SampleFlows, HaveEveryCombinationOfTheOtherSelectors) {
  PolicyRule rule;
  rule.to = {Net("10.0.0.1/32")};
  rule.protos = {IPPROTO_TCP, IPPROTO_UDP};
  rule.dports = {{80, 90}, {443, 443}};
  rule.uids = {{1000, 1999}};
  rule.marks = {{0x10, 0xf0}};
  std::set<std::pair<int, int>> seen;
  for (const Flow &flow : SampleFlows(rule, AF_INET)) {
    seen.emplace(flow.proto, flow.dport);
    EXPECT_EQ(flow.uid, 1000u);
    EXPECT_EQ(flow.mark, 0x10u);
  }
  EXPECT_EQ(seen, (std::set<std::pair<int, int>>{{6, 80}, {6, 443}, {17, 80}, {17, 443}}));
}

TEST(SampleFlows, StayFew) {
  PolicyRule rule;
  rule.to = {Net("10.0.0.1/32")};
  rule.protos.assign(200, IPPROTO_TCP);
  rule.dports.assign(200, {1, 2});
  EXPECT_EQ(SampleFlows(rule, AF_INET).size(), 64u);
}

}  // namespace
}  // namespace srcsel
