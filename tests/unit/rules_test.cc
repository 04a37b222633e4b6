// Whether an ip rule holds for a flow: every selector that struct srcsel_rule has.

#include "engine/rules.h"

#include <functional>

#include <gtest/gtest.h>

#include "fixtures.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kMark = 0x64;

// A rule without selectors.
srcsel_rule Any() {
  srcsel_rule rule{};
  rule.uid_last = 0xffffffff;
  rule.sport_last = rule.dport_last = 0xffff;
  rule.action = SRCSEL_RULE_TABLE;
  rule.target = SRCSEL_NONE;
  rule.suppress_plen = -1;
  rule.suppress_group = SRCSEL_NONE;
  return rule;
}

std::uint32_t Holds(const srcsel_rule &rule, const srcsel_flow &flow) {
  return srcsel_rule_holds(&rule, &flow, kMark);
}

srcsel_flow Bound(absl::string_view to, absl::string_view from) {
  srcsel_flow flow = FlowTo(to);
  flow.src = KeyOf(Address(from));
  return flow;
}

srcsel_flow With(const std::function<void(srcsel_flow &)> &change) {
  srcsel_flow flow = FlowTo("10.0.0.1");
  change(flow);
  return flow;
}

struct Selector {
  const char *what;
  std::function<void(srcsel_rule &)> set;
  std::vector<srcsel_flow> matching, missing;
};

std::vector<Selector> Selectors() {
  using Rule = srcsel_rule;
  using Flow = srcsel_flow;
  return {
      {"to",
       [](Rule &r) { r.to = MatchOf(Net("10.0.0.0/8")); },
       {FlowTo("10.0.0.0"), FlowTo("10.255.255.255")},
       {FlowTo("9.255.255.255"), FlowTo("11.0.0.0")}},
      {"to an IPv6 prefix beyond 64 bits",
       [](Rule &r) { r.to = MatchOf(Net("fd00::8000:0:0:0/65")); },
       {FlowTo("fd00::8000:0:0:0"), FlowTo("fd00::ffff:ffff:ffff:ffff")},
       {FlowTo("fd00::7fff:ffff:ffff:ffff"), FlowTo("fd00:0:0:1:8000::")}},
      {"IPv4 from, which an unbound socket meets with 0.0.0.0",
       [](Rule &r) { r.from = MatchOf(Net("0.0.0.0/1")); },
       {FlowTo("10.0.0.1"), Bound("10.0.0.1", "127.255.255.255")},
       {Bound("10.0.0.1", "128.0.0.1")}},
      {"IPv4 from a network",
       [](Rule &r) { r.from = MatchOf(Net("10.0.0.0/8")); },
       {Bound("1.1.1.1", "10.1.2.3")},
       {FlowTo("1.1.1.1"), Bound("1.1.1.1", "11.0.0.0")}},
      {"IPv6 from, which needs a source",
       [](Rule &r) { r.from = MatchOf(Net("::/1")), r.flags = SRCSEL_RULE_NEED_SRC; },
       {Bound("fd00::1", "::1")},
       {FlowTo("fd00::1"), Bound("fd00::1", "8000::")}},
      {"fwmark",
       [](Rule &r) { r.mark = kMark, r.mark_mask = 0xffffffff; },
       {FlowTo("1.1.1.1")},
       {}},
      {"another fwmark",
       [](Rule &r) { r.mark = kMark + 1, r.mark_mask = 0xffffffff; },
       {},
       {FlowTo("1.1.1.1")}},
      {"fwmark under a mask",
       [](Rule &r) { r.mark = 4, r.mark_mask = 0xf; },
       {FlowTo("1.1.1.1")},
       {}},
      {"fwmark 0 under a mask", [](Rule &r) { r.mark_mask = 0xf0; }, {}, {FlowTo("1.1.1.1")}},
      {"uidrange",
       [](Rule &r) { r.uid_first = 1000, r.uid_last = 1999; },
       {With([](Flow &f) { f.uid = 1000; }), With([](Flow &f) { f.uid = 1999; })},
       {With([](Flow &f) { f.uid = 999; }), With([](Flow &f) { f.uid = 2000; }),
        With([](Flow &f) { f.uid = 0; }), With([](Flow &f) { f.uid = 0xffffffff; })}},
      {"uidrange of the last",
       [](Rule &r) { r.uid_first = 0xffffffff; },
       {With([](Flow &f) { f.uid = 0xffffffff; })},
       {With([](Flow &f) { f.uid = 0xfffffffe; }), With([](Flow &f) { f.uid = 0; })}},
      {"sport",
       [](Rule &r) { r.sport_first = 1000, r.sport_last = 2000; },
       {With([](Flow &f) { f.sport = 1000; }), With([](Flow &f) { f.sport = 2000; })},
       {With([](Flow &f) { f.sport = 999; }), With([](Flow &f) { f.sport = 2001; }),
        With([](Flow &f) { f.sport = 0; })}},
      {"dport",
       [](Rule &r) { r.dport_first = 443, r.dport_last = 443; },
       {With([](Flow &f) { f.dport = 443; })},
       {With([](Flow &f) { f.dport = 442; }), With([](Flow &f) { f.dport = 444; }),
        With([](Flow &f) { f.dport = 0; }), With([](Flow &f) { f.dport = 65535; })}},
      {"oif",
       [](Rule &r) { r.oif = 3; },
       {With([](Flow &f) { f.oif = 3; })},
       {With([](Flow &f) { f.oif = 2; }), With([](Flow &f) { f.oif = 0; })}},
      {"ipproto",
       [](Rule &r) { r.proto = IPPROTO_TCP, r.proto_mask = 0xff; },
       {With([](Flow &f) { f.proto = IPPROTO_TCP; })},
       {With([](Flow &f) { f.proto = IPPROTO_UDP; }), With([](Flow &f) { f.proto = 0; })}},
      {"dscp",
       [](Rule &r) { r.dscp = 0x2e, r.dscp_mask = 0x3f; },
       {With([](Flow &f) { f.dscp = 0x2e; })},
       {With([](Flow &f) { f.dscp = 0x2f; }), With([](Flow &f) { f.dscp = 0; })}},
      {"dscp 0",
       [](Rule &r) { r.dscp_mask = 0x3f; },
       {With([](Flow &f) { f.dscp = 0; })},
       {With([](Flow &f) { f.dscp = 1; })}},
      {"dscp under a mask",
       [](Rule &r) { r.dscp = 0x04, r.dscp_mask = 0x07; },
       {With([](Flow &f) { f.dscp = 0x2c; })},
       {With([](Flow &f) { f.dscp = 0x2d; })}},
      {"what no local flow can meet",
       [](Rule &r) { r.flags = SRCSEL_RULE_NEVER; },
       {},
       {FlowTo("10.0.0.1")}},
      {"nothing",
       [](Rule &) {},
       {FlowTo("10.0.0.1"), FlowTo("::"), Bound("255.255.255.255", "255.255.255.255")},
       {}},
  };
}

TEST(RuleHolds, IfItsSelectorDoes) {
  for (const Selector &selector : Selectors()) {
    srcsel_rule rule = Any();
    selector.set(rule);
    for (const srcsel_flow &flow : selector.matching)
      EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS) << selector.what;
    for (const srcsel_flow &flow : selector.missing)
      EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS_NOT) << selector.what;
    rule.flags |= SRCSEL_RULE_INVERT;
    for (const srcsel_flow &flow : selector.matching)
      EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS_NOT) << "not " << selector.what;
    for (const srcsel_flow &flow : selector.missing)
      EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS) << "not " << selector.what;
  }
}

TEST(RuleHolds, OnlyIfAllSelectorsDo) {
  srcsel_rule rule = Any();
  rule.to = MatchOf(Net("10.0.0.0/8"));
  rule.mark = kMark, rule.mark_mask = 0xff;
  rule.dport_first = rule.dport_last = 443;
  EXPECT_EQ(Holds(rule, FlowTo("10.0.0.1")), SRCSEL_HOLDS);
  EXPECT_EQ(Holds(rule, FlowTo("11.0.0.1")), SRCSEL_HOLDS_NOT);
  EXPECT_EQ(Holds(rule, With([](srcsel_flow &f) { f.dport = 80; })), SRCSEL_HOLDS_NOT);
}

TEST(RuleHolds, UnderTheMarkItIsAskedAboutNotTheFlows) {
  srcsel_rule rule = Any();
  rule.mark = 7, rule.mark_mask = 0xffffffff;
  const srcsel_flow flow = With([](srcsel_flow &f) { f.mark = 8; });
  EXPECT_EQ(srcsel_rule_holds(&rule, &flow, 7), SRCSEL_HOLDS);
  EXPECT_EQ(srcsel_rule_holds(&rule, &flow, 8), SRCSEL_HOLDS_NOT);
}

struct Input {
  srcsel_input bit;
  std::function<void(srcsel_rule &)> set;  // to something that FlowTo() does not meet
};

const std::vector<Input> kInputs = {
    {SRCSEL_IN_UID, [](srcsel_rule &r) { r.uid_first = r.uid_last = 1; }},
    {SRCSEL_IN_SPORT, [](srcsel_rule &r) { r.sport_first = r.sport_last = 1; }},
    {SRCSEL_IN_DSCP, [](srcsel_rule &r) { r.dscp = 1, r.dscp_mask = 0x3f; }},
    {SRCSEL_IN_OPAQUE, [](srcsel_rule &) {}},
};

TEST(RuleHolds, PerhapsIfTheRestDoesAndAnInputIsUnknown) {
  for (const Input &input : kInputs)
    for (const bool invert : {false, true}) {
      srcsel_rule rule = Any();
      input.set(rule);
      rule.inputs = input.bit;
      rule.flags = invert ? SRCSEL_RULE_INVERT : 0;
      srcsel_flow flow = FlowTo("10.0.0.1");
      flow.unknown = input.bit;
      EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS_PERHAPS) << input.bit << invert;
      rule.to = MatchOf(Net("10.0.0.0/8"));
      EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS_PERHAPS) << input.bit << invert;
      rule.to = MatchOf(Net("11.0.0.0/8"));
      EXPECT_EQ(Holds(rule, flow), invert ? SRCSEL_HOLDS : SRCSEL_HOLDS_NOT) << input.bit << invert;
    }
}

TEST(RuleHolds, ForSureIfTheUnknownIsNotConsulted) {
  for (const Input &input : kInputs) {
    srcsel_rule rule = Any();
    rule.inputs = ~input.bit & (SRCSEL_IN_UID | SRCSEL_IN_SPORT | SRCSEL_IN_DSCP);
    srcsel_flow flow = FlowTo("10.0.0.1");
    flow.unknown = input.bit;
    EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS) << input.bit;
  }
}

TEST(RuleHolds, ForSureIfTheInputIsKnown) {
  for (const Input &input : kInputs) {
    srcsel_rule rule = Any();
    input.set(rule);
    rule.inputs = input.bit;
    EXPECT_NE(Holds(rule, FlowTo("10.0.0.1")), SRCSEL_HOLDS_PERHAPS) << input.bit;
  }
}

TEST(RuleHolds, OneUnknownDoesNotHideTheMissOfAnother) {
  srcsel_rule rule = Any();
  rule.uid_first = rule.uid_last = 1;
  rule.sport_first = rule.sport_last = 1;
  rule.inputs = SRCSEL_IN_UID | SRCSEL_IN_SPORT;
  srcsel_flow flow = FlowTo("10.0.0.1");
  flow.unknown = SRCSEL_IN_UID;
  EXPECT_EQ(Holds(rule, flow), SRCSEL_HOLDS_NOT);
}

}  // namespace
}  // namespace srcsel
