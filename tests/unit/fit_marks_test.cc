#include "agent/fit_marks.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.hh"
#include "image/policy_rows.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

PolicyRule ByLevel(std::uint32_t level) {
  PolicyRule rule = Marking("1");
  rule.name = absl::StrCat("rule ", level);
  rule.home_mark = true;
  rule.cgroups = {{"/x", 1, level}};
  return rule;
}

MarkPolicy FirewallOf(std::vector<PolicyRule> rules) {
  MarkPolicy marks;
  marks.rules = std::move(rules);
  return marks;
}

TEST(FitMarks, WhatFitsStaysAsItIs) {
  MarkPolicy marks = FirewallOf({ByLevel(1), ByLevel(2), ByLevel(3), ByLevel(4), Marking("2")});
  const std::vector<PolicyRule> before = marks.rules;
  FitBehind({}, marks);
  EXPECT_EQ(marks.rules, before);
  EXPECT_THAT(marks.not_understood, IsEmpty());
}

TEST(FitMarks, ARuleByOneLevelTooManyIsLeftWhateverTheCgroup) {
  PolicyRule fifth = ByLevel(5);
  fifth.dports = {{80, 80}};
  MarkPolicy marks =
      FirewallOf({ByLevel(4), fifth, ByLevel(1), ByLevel(2), ByLevel(3), ByLevel(4)});
  FitBehind({}, marks);
  EXPECT_TRUE(TakeApart({marks.rules}).ok());
  const PolicyRule &left = marks.rules[1];
  EXPECT_TRUE(left.leave);
  EXPECT_FALSE(left.mark || left.home_mark);
  EXPECT_THAT(left.cgroups, IsEmpty());
  EXPECT_EQ(left.dports, fifth.dports);
  EXPECT_THAT(marks.not_understood, ElementsAre(left.name));
  EXPECT_THAT(left.name, AllOf(HasSubstr("rule 5: looks at cgroups of level 5, and"),
                               HasSubstr("at most 4 of them levels of cgroups")));
  EXPECT_EQ(marks.rules[5], ByLevel(4));
}

TEST(FitMarks, TheFileComesFirst) {
  const Policy file{{ByLevel(7), ByLevel(8), ByLevel(9)}};
  MarkPolicy marks = FirewallOf({ByLevel(1), ByLevel(2), ByLevel(2), ByLevel(8)});
  FitBehind(file, marks);
  EXPECT_THAT(marks.not_understood, ElementsAre(HasSubstr("rule 1: looks at cgroups of level 1")));
  EXPECT_EQ(marks.rules[1], ByLevel(2)) << "more rules ask for that";
  Policy all = file;
  all.rules.insert(all.rules.end(), marks.rules.begin(), marks.rules.end());
  EXPECT_TRUE(TakeApart(all).ok());
}

TEST(FitMarks, SoItIsWithAllThatRulesSelectBy) {
  PolicyRule most = Marking("1");
  most.protos = {6};
  most.uids = {{1, 1}};
  most.gids = {{1, 1}};
  most.classids = {{1, 1}};
  most.dports = {{1, 1}};
  most.marks = {Mark{0, 1}};
  most.to = {Net("10.0.0.0/8")};
  PolicyRule other = most;
  other.marks = {Mark{0, 2}};
  PolicyRule third = most;
  third.name = "third";
  third.marks = {Mark{0, 4}};
  MarkPolicy marks = FirewallOf({most, other, other, third, most});
  FitBehind({}, marks);
  EXPECT_TRUE(TakeApart({marks.rules}).ok());
  EXPECT_THAT(marks.not_understood,
              ElementsAre(HasSubstr("third: looks at marks under the mask 0x4, and a policy has "
                                    "room for 8 different things")));
  EXPECT_THAT(marks.rules[3].marks, IsEmpty());
}

TEST(FitMarks, RulesOfTheFileTakeTheRoomOfTheirRows) {
  PolicyRule four = ByLevel(1);
  four.cgroups.push_back({"/x/y", 2, 2});
  four.marks = {Mark{1, 1}, Mark{2, 2}};
  EXPECT_EQ(RoomBehind({}), SRCSEL_MAX_POLICY);
  EXPECT_EQ(RoomBehind({{Marking("1"), four}}), SRCSEL_MAX_POLICY - 5);
  Policy file;
  file.rules.assign(SRCSEL_MAX_POLICY - 4, Marking("1"));
  file.rules.push_back(four);
  EXPECT_EQ(RoomBehind(file), 0u);
  file.rules.front() = four;
  EXPECT_EQ(RoomBehind(file), 0u);
  EXPECT_FALSE(TakeApart(file).ok());
}

}  // namespace
}  // namespace srcsel
