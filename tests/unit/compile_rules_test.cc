// What of an ip rule the image keeps; whether rules hold is rules_test.cc.

#include "image/compile_rules.hh"

#include <linux/fib_rules.h>

#include <gtest/gtest.h>

#include "engine/rules.h"
#include "fixtures.hh"

namespace srcsel {
namespace {

const Link kVrf{.index = 3, .name = "blue", .vrf = true};

std::vector<srcsel_rule> Compiled(const std::vector<Rule> &rules, srcsel_family family = SRCSEL_V4,
                                  const std::vector<Link> &more_links = {}) {
  State state = StateOf({}, {RouteTo("10.0.0.0/8", 100, 2), RouteTo("fd00::/8", 200, 2)});
  state.rules = rules;
  state.links.insert(state.links.end(), more_links.begin(), more_links.end());
  return CompileRules(state, family, CompileTables(state).value()).value();
}

srcsel_rule Compiled(const Rule &rule, const std::vector<Link> &more_links = {}) {
  return Compiled(std::vector<Rule>{rule}, rule.family == AF_INET ? SRCSEL_V4 : SRCSEL_V6,
                  more_links)
      .at(0);
}

std::uint32_t Holds(const Rule &rule, const srcsel_flow &flow,
                    const std::vector<Link> &more_links = {}) {
  const srcsel_rule compiled = Compiled(rule, more_links);
  return srcsel_rule_holds(&compiled, &flow, flow.mark);
}

TEST(CompileRules, WithoutSelectorsHoldsForEveryFlow) {
  EXPECT_EQ(Holds(Lookup(1, 100), FlowTo("10.0.0.1")), SRCSEL_HOLDS);
  EXPECT_EQ(Holds(Lookup(1, 100, AF_INET6), FlowTo("fd00::1")), SRCSEL_HOLDS);
  EXPECT_EQ(Compiled(Lookup(1, 100)).inputs, 0u);
}

TEST(CompileRules, KeepsEachFamilysOrder) {
  const std::vector<Rule> rules = {Lookup(5, 1), Lookup(3, 1, AF_INET6), Lookup(7, 1), Lookup(7, 2),
                                   Lookup(9, 1, AF_INET6)};
  std::vector<std::uint32_t> prefs;
  for (const srcsel_family family : {SRCSEL_V4, SRCSEL_V6})
    for (const srcsel_rule &rule : Compiled(rules, family)) prefs.push_back(rule.pref);
  EXPECT_EQ(prefs, (std::vector<std::uint32_t>{5, 7, 7, 3, 9}));
}

TEST(CompileRules, PointsAtTablesOfItsFamily) {
  EXPECT_NE(Compiled(Lookup(1, 100)).target, SRCSEL_NONE);
  EXPECT_EQ(Compiled(Lookup(1, 200)).target, SRCSEL_NONE);
  EXPECT_NE(Compiled(Lookup(1, 200, AF_INET6)).target, SRCSEL_NONE);
  EXPECT_EQ(Compiled(Lookup(1, 100, AF_INET6)).target, SRCSEL_NONE);
}

TEST(CompileRules, KeepsSelectorsAndSuppressors) {
  Rule rule = Lookup(77, 100);
  rule.flags = FIB_RULE_INVERT;
  rule.to = Net("10.1.2.3/8");
  rule.mark = 0x64, rule.mark_mask = 0xff;
  rule.uids = Range32{1, 2};
  rule.sports = Range16{3, 4};
  rule.dports = Range16{5, 6};
  rule.proto = IPPROTO_TCP;
  rule.suppress_plen = 12;
  rule.suppress_group = 13;
  const srcsel_rule r = Compiled(rule);
  EXPECT_EQ(r.flags, SRCSEL_RULE_INVERT);
  EXPECT_EQ(r.to.value.hi, 0x0a00000000000000u);
  EXPECT_EQ(r.to.mask.hi, 0xff00000000000000u);
  EXPECT_EQ(std::tuple(r.mark, r.mark_mask), std::tuple(0x64u, 0xffu));
  EXPECT_EQ(std::tuple(r.uid_first, r.uid_last), std::tuple(1u, 2u));
  EXPECT_EQ(std::tuple(r.sport_first, r.sport_last), std::tuple(3, 4));
  EXPECT_EQ(std::tuple(r.dport_first, r.dport_last), std::tuple(5, 6));
  EXPECT_EQ(std::tuple(r.proto, r.proto_mask), std::tuple(IPPROTO_TCP, 0xff));
  EXPECT_EQ(std::tuple(r.suppress_plen, r.suppress_group), std::tuple(12, 13u));
  EXPECT_EQ(r.pref, 77u);
  EXPECT_EQ(r.inputs, SRCSEL_IN_UID | SRCSEL_IN_SPORT);
}

TEST(CompileRules, ComparesTosInThreeBitsAndDscpInSix) {
  Rule tos = Lookup(1, 100), tos6 = Lookup(1, 100, AF_INET6), dscp = Lookup(1, 100);
  tos.tos = tos6.tos = 0x10;
  dscp.dscp = 0x04;
  srcsel_flow flow = FlowTo("10.0.0.1"), flow6 = FlowTo("fd00::1");
  flow.dscp = flow6.dscp = 0x24;
  EXPECT_EQ(Holds(tos, flow), SRCSEL_HOLDS);
  EXPECT_EQ(Holds(tos6, flow6), SRCSEL_HOLDS_NOT);
  EXPECT_EQ(Holds(dscp, flow), SRCSEL_HOLDS_NOT);
  dscp.dscp_mask = 0x07;
  EXPECT_EQ(Holds(dscp, flow), SRCSEL_HOLDS);
  EXPECT_EQ(Compiled(dscp).inputs, SRCSEL_IN_DSCP);
}

TEST(CompileRules, ADscpOfZeroIsASelector) {
  Rule rule = Lookup(1, 100);
  rule.dscp = 0;
  srcsel_flow flow = FlowTo("10.0.0.1");
  EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS);
  flow.dscp = 1;
  EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS_NOT);
}

TEST(CompileRules, FromNeedsASourceInIPv6Only) {
  Rule v4 = Lookup(1, 100), v6 = Lookup(1, 100, AF_INET6);
  v4.from = Net("0.0.0.0/1");
  v6.from = Net("::/1");
  EXPECT_EQ(Holds(v4, FlowTo("10.0.0.1")), SRCSEL_HOLDS);
  EXPECT_EQ(Holds(v6, FlowTo("fd00::1")), SRCSEL_HOLDS_NOT);
  v6.flags = FIB_RULE_INVERT;
  EXPECT_EQ(Holds(v6, FlowTo("fd00::1")), SRCSEL_HOLDS);
}

TEST(CompileRules, OnlyLoIsAnIncomingInterfaceOfLocalFlows) {
  Rule rule = Lookup(1, 100);
  rule.iif = "lo";
  EXPECT_EQ(Holds(rule, FlowTo("10.0.0.1")), SRCSEL_HOLDS);
  rule.iif = "eth0";
  EXPECT_EQ(Holds(rule, FlowTo("10.0.0.1")), SRCSEL_HOLDS_NOT);
  rule.flags = FIB_RULE_INVERT;
  EXPECT_EQ(Holds(rule, FlowTo("10.0.0.1")), SRCSEL_HOLDS);
}

TEST(CompileRules, ResolvesTheOutgoingInterface) {
  Rule rule = Lookup(1, 100);
  rule.oif = "eth1";
  srcsel_flow flow = FlowTo("10.0.0.1");
  EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS_NOT);
  flow.oif = 3;
  EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS);
  rule.oif = "gone0";
  EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS_NOT);
  rule.flags = FIB_RULE_INVERT;
  EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS);
}

TEST(CompileRules, TunnelsHoldForNoFlow) {
  Rule tunnel = Lookup(1, 100);
  tunnel.tun_id = 7;
  EXPECT_EQ(Holds(tunnel, FlowTo("10.0.0.1")), SRCSEL_HOLDS_NOT);
}

// Of devices that may be of a VRF, only flows that are bound to one.
TEST(CompileRules, VrfsPerhapsHoldForBoundFlowsOnly) {
  const std::vector<Link> none, some = {kVrf};
  Rule rule = Lookup(1, 100);
  rule.l3mdev = true;
  srcsel_flow flow = FlowTo("10.0.0.1"), bound = flow;
  bound.oif = kVrf.index;
  flow.unknown = bound.unknown = SRCSEL_IN_OPAQUE;
  EXPECT_EQ(Holds(rule, flow, none), SRCSEL_HOLDS_NOT);
  EXPECT_EQ(Holds(rule, bound, none), SRCSEL_HOLDS_NOT);
  EXPECT_EQ(Holds(rule, flow, some), SRCSEL_HOLDS_NOT);
  EXPECT_EQ(Holds(rule, bound, some), SRCSEL_HOLDS_PERHAPS);
  rule.flags = FIB_RULE_INVERT;
  EXPECT_EQ(Holds(rule, flow, none), SRCSEL_HOLDS);
  EXPECT_EQ(Holds(rule, flow, some), SRCSEL_HOLDS);
  EXPECT_EQ(Holds(rule, bound, some), SRCSEL_HOLDS_PERHAPS);
}

TEST(CompileRules, ComparesPortsAndLabelsUnderTheirMasks) {
  Rule sport = Lookup(1, 100), dport = sport, label = Lookup(1, 100, AF_INET6);
  sport.sports = Range16{0x100, 0x100}, sport.sport_mask = 0xff00;
  dport.dports = Range16{0x100, 0x100}, dport.dport_mask = 0xff00;
  label.flow_label = 0x12300, label.flow_label_mask = 0xfff00;
  srcsel_flow flow = FlowTo("10.0.0.1"), flow6 = FlowTo("fd00::1");
  flow.sport = flow.dport = 0x155;
  flow6.label = 0x12345;
  EXPECT_EQ(Holds(sport, flow), SRCSEL_HOLDS);
  EXPECT_EQ(Holds(dport, flow), SRCSEL_HOLDS);
  EXPECT_EQ(Holds(label, flow6), SRCSEL_HOLDS);
  flow.sport = flow.dport = 0x201;
  flow6.label = 0x12445;
  EXPECT_EQ(Holds(sport, flow), SRCSEL_HOLDS_NOT);
  EXPECT_EQ(Holds(dport, flow), SRCSEL_HOLDS_NOT);
  EXPECT_EQ(Holds(label, flow6), SRCSEL_HOLDS_NOT);
  label.flow_label_mask.reset();
  EXPECT_EQ(Compiled(label).label_mask, 0xfffffu);
  EXPECT_EQ(Compiled(label).inputs, SRCSEL_IN_LABEL);
}

// What is not mirrored is unknown to everybody: it may hold, and is never said to miss.
TEST(CompileRules, WhatIsNotMirroredPerhapsHolds) {
  Rule find = Lookup(1, 100, AF_INET6);
  find.flags = FIB_RULE_FIND_SADDR;
  find.from = Net("fd00::/8");
  srcsel_flow flow = FlowTo("fd00::1");
  flow.unknown = SRCSEL_IN_OPAQUE;
  EXPECT_EQ(Holds(find, flow), SRCSEL_HOLDS_PERHAPS);
}

TEST(CompileRules, GotoPointsForwardOrNowhere) {
  Rule jump = Lookup(10, 0);
  jump.action = FR_ACT_GOTO;
  jump.goto_pref = 30;
  EXPECT_EQ(Compiled({jump, Lookup(20, 1), Lookup(30, 1), Lookup(30, 2)})[0].target, 2u);
  EXPECT_EQ(Compiled({jump, Lookup(20, 1)})[0].target, SRCSEL_NONE);
  EXPECT_EQ(Compiled({Lookup(30, 1), jump})[1].target, SRCSEL_NONE);
  EXPECT_EQ(Compiled({jump, Lookup(30, 1, AF_INET6)})[0].target, SRCSEL_NONE);
}

TEST(CompileRules, HasALimit) {
  State state = StateOf({}, {});
  state.rules.assign(SRCSEL_MAX_RULES, Lookup(1, 100));
  const CompiledTables tables = CompileTables(state).value();
  EXPECT_TRUE(CompileRules(state, SRCSEL_V4, tables).ok());
  state.rules.push_back(Lookup(1, 100));
  EXPECT_EQ(
      CompileRules(state, SRCSEL_V4, tables).status(),
      absl::ResourceExhaustedError("compile ip rules: 8193 rules, at most 8192 fit into an image"));
  EXPECT_TRUE(CompileRules(state, SRCSEL_V6, tables).ok());
}

}  // namespace
}  // namespace srcsel
