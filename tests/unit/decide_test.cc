// From a flow to a decision: every reason there is, and what is done for it.

#include "lookup/decide.hh"

#include <cstring>
#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "engine/decide.h"
#include "fixtures.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kTelecom = RT_TABLE_MAIN, kUnicom = 100;

// Two uplinks: main leads to link 2 (10.0.0.1), mark 100 to link 3 (10.1.0.1) by table 100.
State TwoUplinks() {
  State state =
      StateOf({On(2, "10.0.0.1/24"), On(3, "10.1.0.1/24")},
              {RouteTo("0.0.0.0/0", kTelecom, 2, "10.0.0.1"), RouteTo("10.0.0.0/24", kTelecom, 2),
               RouteTo("0.0.0.0/0", kUnicom, 3, "10.1.0.1"), RouteTo("::/0", kUnicom, 3)});
  const auto add = [&](absl::string_view prefix, int type) {
    Route route = RouteTo(prefix, RT_TABLE_LOCAL, 2);
    route.type = static_cast<std::uint8_t>(type);
    state.routes.push_back(route);
  };
  add("10.0.0.1/32", RTN_LOCAL);
  add("192.0.2.0/24", RTN_LOCAL);
  add("10.0.0.255/32", RTN_BROADCAST);
  add("fd00::1/128", RTN_LOCAL);
  add("fd00::/128", RTN_ANYCAST);
  Rule marked = Lookup(1000, kUnicom), marked6 = Lookup(1000, kUnicom, AF_INET6);
  marked.mark = marked6.mark = 100;
  marked.mark_mask = marked6.mark_mask = 0xffffffff;
  state.rules.push_back(marked);
  state.rules.push_back(marked6);
  std::ranges::stable_sort(state.rules, {}, &Rule::pref);
  return state;
}

PolicyRule Only(absl::string_view to, PolicyRule rule) {
  rule.to = {Net(to)};
  return rule;
}

PolicyRule Leaving() {
  PolicyRule rule;
  rule.leave = true;
  return rule;
}

PolicyRule OfPlainTos(PolicyRule rule) {
  rule.plain_tos = true;
  return rule;
}

PolicyRule OfClass(std::uint32_t classid, PolicyRule rule) {
  rule.classids = {{classid, classid}};
  return rule;
}

PolicyRule MarkAndSource() {
  PolicyRule rule = Marking("100");
  rule.sources = {Address("10.1.0.1")};
  return rule;
}

struct Case {
  srcsel_reason reason;
  std::vector<PolicyRule> policy;
  srcsel_flow flow;
  std::uint32_t apply = 0;
  const char *source = "";
};

srcsel_flow To(const char *address, const std::function<void(srcsel_flow &)> &change = {}) {
  srcsel_flow flow = FlowTo(address);
  if (change) change(flow);
  return flow;
}

// Somewhere out there.
srcsel_flow Out(const std::function<void(srcsel_flow &)> &change = {}) {
  return To("203.0.113.1", change);
}

void Foreign(srcsel_flow &flow) {
  flow.netns = kNetns + 1;
}
void HasSource(srcsel_flow &flow) {
  flow.facts = SRCSEL_FACT_SOURCE;
}
void HasPort(srcsel_flow &flow) {
  flow.facts = SRCSEL_FACT_PORT;
}
void HasDevice(srcsel_flow &flow) {
  flow.oif = 2;
}
void HasTos(srcsel_flow &flow) {
  flow.dscp = 46;
}
void HasEcn(srcsel_flow &flow) {
  flow.dscp = 2 << 6;
}
void HidesTos(srcsel_flow &flow) {
  flow.unknown = SRCSEL_IN_DSCP;
}
void HasClass(srcsel_flow &flow) {
  flow.classid = 0x10001;
}
void HidesClass(srcsel_flow &flow) {
  flow.unknown = SRCSEL_IN_CLASSID;
}
std::function<void(srcsel_flow &)> HasMark(std::uint32_t mark) {
  return [mark](srcsel_flow &flow) { flow.mark = mark; };
}

// Decided on TwoUplinks().
std::vector<Case> Cases() {
  const PolicyRule mark = Marking("100"), bind = Binding("100"),
                   source = Sourcing({Address("10.1.0.1")}),
                   device = Sourcing({DeviceSource{"eth1"}});
  return {
      {SRCSEL_WHY_NO_RULE, {}, Out()},
      {SRCSEL_WHY_NO_RULE, {Only("10.0.0.0/8", mark)}, Out()},

      {SRCSEL_WHY_KERNEL, {Leaving(), mark}, Out()},
      {SRCSEL_WHY_KERNEL, {Leaving(), mark}, Out(HasMark(5))},
      {SRCSEL_WHY_KERNEL, {Leaving(), mark}, Out(HasMark(100)), SRCSEL_APPLY_MARK},

      {SRCSEL_WHY_MARK, {mark}, Out(), SRCSEL_APPLY_MARK},
      {SRCSEL_WHY_MARK, {mark}, To("2001:db8::1"), SRCSEL_APPLY_MARK},
      {SRCSEL_WHY_MARK, {mark}, Out(Foreign), SRCSEL_APPLY_MARK},
      {SRCSEL_WHY_MARK, {mark}, Out(HasPort), SRCSEL_APPLY_MARK},
      {SRCSEL_WHY_MARK, {mark}, Out(HasMark(100)), SRCSEL_APPLY_MARK},
      {SRCSEL_WHY_MARK, {Marking("1/0xf")}, Out(HasMark(0xf0)), SRCSEL_APPLY_MARK},
      {SRCSEL_WHY_MARK, {MarkAndSource()}, To("2001:db8::1"), SRCSEL_APPLY_MARK},
      {SRCSEL_WHY_MARK, {MarkAndSource()}, Out(HasPort), SRCSEL_APPLY_MARK},

      {SRCSEL_WHY_SOURCE, {source}, Out(), SRCSEL_APPLY_SOURCE, "10.1.0.1"},
      {SRCSEL_WHY_SOURCE, {source}, Out(Foreign), SRCSEL_APPLY_SOURCE, "10.1.0.1"},
      {SRCSEL_WHY_SOURCE, {device}, Out(), SRCSEL_APPLY_SOURCE, "10.1.0.1"},
      {SRCSEL_WHY_SOURCE,
       {Sourcing({Address("fd00::9")})},
       To("2001:db8::1"),
       SRCSEL_APPLY_SOURCE,
       "fd00::9"},
      {SRCSEL_WHY_SOURCE,
       {MarkAndSource()},
       Out(),
       SRCSEL_APPLY_MARK | SRCSEL_APPLY_SOURCE,
       "10.1.0.1"},

      {SRCSEL_WHY_TABLE, {bind}, Out(), SRCSEL_APPLY_SOURCE, "10.1.0.1"},
      {SRCSEL_WHY_TABLE, {Binding("0x64/0xff")}, Out(), SRCSEL_APPLY_SOURCE, "10.1.0.1"},
      {SRCSEL_WHY_TABLE, {Binding("5")}, Out(), SRCSEL_APPLY_SOURCE, "10.0.0.1"},
      {SRCSEL_WHY_TABLE, {Binding("0x4/0xf")}, Out(HasMark(0x60)), SRCSEL_APPLY_SOURCE, "10.1.0.1"},

      {SRCSEL_WHY_UNSPECIFIED, {mark}, To("0.0.0.0")},
      {SRCSEL_WHY_UNSPECIFIED, {mark}, To("0.255.255.255")},
      {SRCSEL_WHY_UNSPECIFIED, {mark}, To("::")},
      {SRCSEL_WHY_LOOPBACK, {mark}, To("127.0.0.1")},
      {SRCSEL_WHY_LOOPBACK, {mark}, To("127.255.255.255")},
      {SRCSEL_WHY_LOOPBACK, {mark}, To("::1", Foreign)},
      {SRCSEL_WHY_LINK_LOCAL, {mark}, To("169.254.0.0")},
      {SRCSEL_WHY_LINK_LOCAL, {mark}, To("169.254.255.255")},
      {SRCSEL_WHY_LINK_LOCAL, {mark}, To("fe80::")},
      {SRCSEL_WHY_LINK_LOCAL, {mark}, To("febf:ffff::1")},
      {SRCSEL_WHY_MULTICAST, {mark}, To("224.0.0.1")},
      {SRCSEL_WHY_MULTICAST, {mark}, To("239.255.255.255")},
      {SRCSEL_WHY_MULTICAST, {mark}, To("ff02::1")},
      {SRCSEL_WHY_BROADCAST, {mark}, To("255.255.255.255")},
      {SRCSEL_WHY_BROADCAST, {mark}, To("10.0.0.255")},
      {SRCSEL_WHY_LOCAL, {mark}, To("10.0.0.1")},
      {SRCSEL_WHY_LOCAL, {source}, To("192.0.2.99")},
      {SRCSEL_WHY_LOCAL, {bind}, To("fd00::1")},
      {SRCSEL_WHY_LOCAL, {bind}, To("fd00::")},

      {SRCSEL_WHY_APP_SOURCE, {mark}, Out(HasSource)},
      {SRCSEL_WHY_APP_SOURCE, {bind}, Out(HasSource)},
      {SRCSEL_WHY_APP_PORT, {source}, Out(HasPort)},
      {SRCSEL_WHY_APP_PORT, {bind}, Out(HasPort)},
      {SRCSEL_WHY_APP_DEVICE, {mark}, Out(HasDevice)},
      {SRCSEL_WHY_APP_MARK, {mark}, Out(HasMark(5))},
      {SRCSEL_WHY_APP_MARK, {bind}, Out(HasMark(5))},
      {SRCSEL_WHY_APP_MARK, {bind}, Out(HasMark(100))},
      {SRCSEL_WHY_APP_MARK, {source}, Out(HasMark(1))},
      {SRCSEL_WHY_APP_MARK, {Marking("1/0xf")}, Out(HasMark(2))},

      {SRCSEL_WHY_FOREIGN, {bind}, Out(Foreign)},
      {SRCSEL_WHY_FOREIGN, {device}, Out(Foreign)},
      {SRCSEL_WHY_FAMILY, {source}, To("2001:db8::1")},
      {SRCSEL_WHY_FAMILY, {device}, To("2001:db8::1")},

      {SRCSEL_WHY_NO_ROUTE, {Binding("5")}, To("2001:db8::1")},
      {SRCSEL_WHY_NO_SOURCE, {bind}, To("2001:db8::1")},

      {SRCSEL_WHY_POOL, {Pooling({"10.1.0.1"})}, Out(), SRCSEL_APPLY_SOURCE, "10.1.0.1"},
      {SRCSEL_WHY_NO_MEMBER, {Pooling({"10.1.0.9"})}, Out()},
      {SRCSEL_WHY_NO_MEMBER, {Pooling({"10.1.0.1"})}, To("2001:db8::1")},
      {SRCSEL_WHY_FOREIGN, {Pooling({"10.1.0.1"})}, Out(Foreign)},
      {SRCSEL_WHY_OLD, {mark}, Out([](srcsel_flow &f) { f.facts = SRCSEL_FACT_OLD; })},

      {SRCSEL_WHY_MARK, {OfPlainTos(mark)}, Out(), SRCSEL_APPLY_MARK},
      {SRCSEL_WHY_APP_TOS, {OfPlainTos(mark)}, Out(HasTos)},
      {SRCSEL_WHY_MARK, {OfPlainTos(mark)}, Out(HasEcn), SRCSEL_APPLY_MARK},
      {SRCSEL_WHY_AMBIGUOUS, {OfPlainTos(mark)}, Out(HidesTos)},
      {SRCSEL_WHY_KERNEL, {OfPlainTos(Leaving())}, Out()},
      {SRCSEL_WHY_APP_TOS, {OfPlainTos(Leaving())}, Out(HasTos)},
      {SRCSEL_WHY_APP_MARK, {OfPlainTos(mark)}, Out(HasMark(5))},
      {SRCSEL_WHY_LOCAL, {OfPlainTos(mark)}, To("10.0.0.1", HidesTos)},

      {SRCSEL_WHY_MARK, {OfClass(0x10001, mark)}, Out(HasClass), SRCSEL_APPLY_MARK},
      {SRCSEL_WHY_NO_RULE, {OfClass(0x10001, mark)}, Out()},
      {SRCSEL_WHY_MARK, {OfClass(0, mark)}, Out(), SRCSEL_APPLY_MARK},
      // Who does not know the class follows rules that do not ask for it, and leaves alone what
      // others may hold for.
      {SRCSEL_WHY_AMBIGUOUS, {OfClass(0x10001, mark)}, Out(HidesClass)},
      {SRCSEL_WHY_AMBIGUOUS, {OfClass(0x10001, Leaving()), mark}, Out(HidesClass)},
      {SRCSEL_WHY_MARK, {mark, OfClass(0x10001, Leaving())}, Out(HidesClass), SRCSEL_APPLY_MARK},
      {SRCSEL_WHY_MARK,
       {Only("10.0.0.0/8", OfClass(0x10001, Leaving())), mark},
       Out(HidesClass),
       SRCSEL_APPLY_MARK},
  };
}

void Expect(const Case &c, const srcsel_decision &decision) {
  SCOPED_TRACE(testing::Message() << "expected " << ReasonText(c.reason) << " for family "
                                  << int{c.flow.family} << ", destination " << std::hex
                                  << c.flow.dst.hi);
  EXPECT_EQ(Why(decision), ReasonText(c.reason));
  EXPECT_EQ(decision.apply, c.apply);
  if (*c.source) {
    EXPECT_EQ(SourceText(c.flow, decision), c.source);
  } else {
    EXPECT_TRUE(std::ranges::all_of(decision.source, [](__u8 byte) { return byte == 0; }));
  }
}

TEST(Decide, ForEveryCase) {
  for (const Case &c : Cases()) Expect(c, Decide(ImageOf(TwoUplinks(), c.policy), c.flow));
}

TEST(Decide, AmbiguouslyIfARuleHangsOnTheUnknown) {
  State state = TwoUplinks();
  state.rules[0].uids = Range32{0, 0};
  const srcsel_flow flow = Out([](srcsel_flow &f) { f.unknown = SRCSEL_IN_UID; });
  Expect({SRCSEL_WHY_AMBIGUOUS, {}, flow}, Decide(ImageOf(state, {Binding("100")}), flow));
}

TEST(Decide, AmbiguouslyIfPathsDiffer) {
  State state = TwoUplinks();
  Route route = RouteTo("203.0.113.0/24", kUnicom, 2);
  route.nexthops = {Via(2), Via(3)};
  state.routes.push_back(route);
  Expect({SRCSEL_WHY_AMBIGUOUS, {}, Out()}, Decide(ImageOf(state, {Binding("100")}), Out()));
}

TEST(Decide, NothingOnAnImageOfAnotherMagicOrVersion) {
  const Image image = ImageOf(TwoUplinks(), {Marking("100")});
  for (const std::size_t offset :
       {offsetof(srcsel_header, magic), offsetof(srcsel_header, version)}) {
    std::vector<std::byte> bytes(image.bytes().begin(), image.bytes().end());
    bytes[offset] ^= std::byte{1};
    Expect({SRCSEL_WHY_NO_IMAGE, {}, Out()}, Decide(Image(std::move(bytes)), Out()));
  }
  Expect({SRCSEL_WHY_NO_IMAGE, {}, Out()}, Decide(Image({}), Out()));
}

// A reason that is added wants a case above.
TEST(Decide, HasACaseForEveryReason) {
  std::set<std::uint32_t> tested = {
      SRCSEL_WHY_NO_IMAGE, SRCSEL_WHY_AMBIGUOUS,  // tests of their own
      SRCSEL_WHY_REFUSED, SRCSEL_WHY_NO_PORT,     // a hook says so, never the engine
  };
  for (const Case &c : Cases()) tested.insert(c.reason);
  for (std::uint32_t reason = 0; reason < SRCSEL_WHY_COUNT; ++reason)
    EXPECT_TRUE(tested.contains(reason)) << ReasonText(reason);
}

TEST(Decide, NamesWhatItWentBy) {
  const Image image =
      ImageOf(TwoUplinks(), {Only("10.0.0.0/8", Marking("7")), Binding("0x64/0xff")});
  const srcsel_decision d = Decide(image, Out());
  EXPECT_EQ(std::tuple(d.policy, d.rule, d.table, d.oif), std::tuple(1u, 1000u, kUnicom, 3u));
  EXPECT_EQ(std::tuple(d.mark, d.mark_mask), std::tuple(0x64u, 0xffu));
}

TEST(Decide, NamesNothingItDidNotReach) {
  const srcsel_decision d = Decide(ImageOf(TwoUplinks(), {Marking("100")}), To("127.0.0.1"));
  EXPECT_EQ(std::tuple(d.policy, d.rule, d.table, d.oif),
            std::tuple(SRCSEL_NONE, SRCSEL_NONE, 0u, 0u));
  EXPECT_EQ(std::tuple(d.mark, d.mark_mask), std::tuple(0u, 0u));
}

TEST(Decide, NoRouteWhereARuleOrARouteForbids) {
  State state = TwoUplinks();
  state.routes.push_back(NoRouteTo("203.0.113.0/24", kUnicom, RTN_UNREACHABLE));
  EXPECT_EQ(Why(Decide(ImageOf(state, {Binding("100")}), Out())), "no-route");
  state = TwoUplinks();
  state.rules[0].action = 8;
  EXPECT_EQ(Why(Decide(ImageOf(state, {Binding("100")}), Out())), "no-route");
}

TEST(Decide, LocallyWhereAnyTableSaysSo) {
  State state = TwoUplinks();
  Route route = RouteTo("203.0.113.0/24", kUnicom, 1);
  route.type = RTN_LOCAL;
  state.routes.push_back(route);
  EXPECT_EQ(Why(Decide(ImageOf(state, {Binding("100")}), Out())), "local");
  EXPECT_EQ(Why(Decide(ImageOf(state, {Marking("100")}), Out())), "mark");
}

TEST(Decide, OnConstantsAloneWithoutLocalTables) {
  State bare;
  bare.netns = kNetns;
  EXPECT_EQ(Why(Decide(ImageOf(bare, {Marking("1")}), Out())), "mark");
  EXPECT_EQ(Why(Decide(ImageOf(bare, {Binding("1")}), Out())), "no-route");
}

bool AsksNetns(const Image &image, const srcsel_flow &flow) {
  const srcsel_memory memory = image.memory();
  srcsel_decision decision;
  srcsel_undecided(&image.header(), &decision);
  const srcsel_policy *rule = srcsel_choose_rule(&memory, &image.header(), &flow, &decision);
  return rule != nullptr && srcsel_asks_netns(&image.header(), rule, &flow);
}

// The policies of the cases, and what they are with more that the namespace matters to.
std::vector<std::vector<PolicyRule>> WithMore(const std::vector<PolicyRule> &policy) {
  std::vector<std::vector<PolicyRule>> policies(3, policy);
  for (PolicyRule &rule : policies[1]) rule.home_mark = rule.mark.has_value();
  for (PolicyRule &rule : policies[2])
    if (!rule.leave) rule.ports = Range16{1000, 1999};
  return policies;
}

// Hooks leave it at 0 where nobody asks.
void ExpectTheNamespaceNotToMatter(const Image &image, srcsel_flow flow) {
  flow.netns = 0;
  const srcsel_decision unknown = Decide(image, flow);
  for (const std::uint64_t netns : {kNetns, kNetns + 1}) {
    flow.netns = netns;
    const srcsel_decision known = Decide(image, flow);
    EXPECT_EQ(std::memcmp(&known, &unknown, sizeof(known)), 0)
        << Why(known) << ", not " << Why(unknown);
  }
}

TEST(Decide, ByTheNamespaceOnlyWhereItIsAskedFor) {
  int asked = 0, not_asked = 0;
  for (const Case &c : Cases())
    for (const std::vector<PolicyRule> &policy : WithMore(c.policy))
      for (const srcsel_operation operation : {SRCSEL_CONNECT, SRCSEL_DATAGRAM}) {
        const Image image = ImageOf(TwoUplinks(), policy);
        srcsel_flow flow = c.flow;
        flow.operation = operation;
        const bool asks = AsksNetns(image, flow);
        ++(asks ? asked : not_asked);
        if (!asks) ExpectTheNamespaceNotToMatter(image, flow);
      }
  EXPECT_GT(asked, 50);
  EXPECT_GT(not_asked, 50);
}

TEST(Decide, ByTheNamespaceForDatagramsThatAMarkComesTooLateFor) {
  const Image image = ImageOf(TwoUplinks(), {Marking("100")});
  srcsel_flow flow = Out();
  EXPECT_FALSE(AsksNetns(image, flow));
  flow.operation = SRCSEL_DATAGRAM;
  EXPECT_TRUE(AsksNetns(image, flow));
  flow.mark = 100;
  EXPECT_FALSE(AsksNetns(image, flow));
}

TEST(Decide, ForASocketElsewhereWithoutTheTablesOfHere) {
  EXPECT_EQ(Why(Decide(ImageOf(TwoUplinks(), {Marking("100")}), To("10.0.0.1", Foreign))), "mark");
}

}  // namespace
}  // namespace srcsel
