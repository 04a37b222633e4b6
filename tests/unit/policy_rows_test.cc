#include "image/policy_rows.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.hh"

namespace srcsel {
namespace {

using testing::ElementsAre;

PolicyRule In(std::vector<Cgroup> cgroups) {
  PolicyRule rule = Marking("1");
  rule.cgroups = std::move(cgroups);
  return rule;
}

TEST(PolicyRows, LeaveMostRulesWhole) {
  PolicyRule rule = In({{"/a", 1, 1}, {"/b", 2, 1}});
  rule.marks = {Mark{1, 0xff}, Mark{2, 0xff}};
  const PolicyRows rows = TakeApart(Policy{{Marking("1"), rule}}).value();
  ASSERT_EQ(rows.rows.size(), 2u);
  EXPECT_EQ(rows.rows[1].rule, rule);
  EXPECT_THAT(rows.levels, ElementsAre(1, SRCSEL_NONE, SRCSEL_NONE, SRCSEL_NONE));
  EXPECT_THAT(rows.mark_masks, ElementsAre(0xff));
}

TEST(PolicyRows, AreOneForEachLevelAndMask) {
  PolicyRule rule = In({{"/a", 1, 1}, {"/b/c", 2, 2}, {"/d", 3, 1}});
  rule.marks = {Mark{1, 0xf}, Mark{0x10, 0xf0}};
  const PolicyRows rows = TakeApart(Policy{{rule, Marking("1")}}).value();
  std::vector<std::size_t> cgroups;
  std::vector<std::uint32_t> ids;
  for (const PolicyRow &row : rows.rows) {
    cgroups.push_back(row.rule.cgroups.size());
    ids.push_back(row.id);
  }
  EXPECT_THAT(cgroups, ElementsAre(2, 2, 1, 1, 0));
  EXPECT_THAT(ids, ElementsAre(0, 0, 0, 0, 1));
}

TEST(PolicyRows, HaveLimits) {
  std::vector<Cgroup> deep;
  for (std::uint32_t level = 0; level < 5; ++level) deep.push_back({"/x", 1, level});
  EXPECT_EQ(TakeApart(Policy{{In(deep)}}).status().message(),
            "compile policy: its cgroups are on more than 4 levels of the hierarchy");
  deep.pop_back();
  PolicyRule all = In(deep);
  all.marks = {Mark{1, 1}};
  all.protos = {6};
  all.dports = {{1, 1}};
  all.comms = {"curl"};
  EXPECT_TRUE(TakeApart(Policy{{all, Marking("1")}}).ok());
  PolicyRule more = all;
  more.to = {Net("10.0.0.0/8")};
  PolicyRule classed = all;
  classed.classids = {{1, 1}};
  for (const PolicyRule &rule : {more, classed})
    EXPECT_EQ(TakeApart(Policy{{rule}}).status().message(),
              "compile policy: its rules select by 9 different things (each cgroup level and each "
              "mask of marks counts), at most 8 fit into an image");
}

}  // namespace
}  // namespace srcsel
