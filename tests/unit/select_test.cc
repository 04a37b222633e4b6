// Whole connects and single lookups over a snapshot, where no kernel is needed to say what is
// right.

#include "lookup/select.hh"

#include <linux/fib_rules.h>
#include <linux/if.h>

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "fixtures.hh"

namespace srcsel {
namespace {

State UpLinks(State state) {
  for (Link &link : state.links) link.flags = IFF_UP | IFF_LOWER_UP;
  state.links[0].flags |= IFF_LOOPBACK;
  return state;
}

// Two uplinks: eth0 with the default of main, eth1 with that of table 100, for mark 100.
State TwoUplinks() {
  State state =
      UpLinks(StateOf({On(2, "10.0.0.1/24"), On(3, "10.1.0.1/24")},
                      {RouteTo("0.0.0.0/0", RT_TABLE_MAIN, 2), RouteTo("0.0.0.0/0", 100, 3),
                       RouteTo("10.1.0.0/24", RT_TABLE_MAIN, 3)}));
  Rule marked = Lookup(100, 100);
  marked.mark = 100;
  marked.mark_mask = 0xffffffff;
  state.rules.insert(state.rules.begin() + 1, marked);
  return state;
}

Flow To(absl::string_view destination) {
  Flow flow;
  flow.destination = Address(destination);
  flow.source = IpAddress::Any(flow.destination.family());
  flow.dport = 443;
  return flow;
}

std::string Text(const Outcome &outcome) {
  if (outcome.error != 0) return absl::StrCat("errno ", outcome.error);
  return absl::StrCat(outcome.source.ToString(), " dev ", outcome.oif, " table ", outcome.table);
}

std::string Text(const Selection &selection) {
  if (selection.exact()) return Text(selection.outcome);
  std::vector<std::string> all;
  for (const Outcome &outcome : selection.candidates) all.push_back(Text(outcome));
  return absl::StrCat(AmbiguityWord(selection.why), ": ", absl::StrJoin(all, ", "));
}

std::string Selected(State state, const Flow &flow) {
  return Text(Select(*Snapshot::Make(std::move(state), 1).value(), flow));
}

TEST(Select, TakesTheSourceOfTheMarksTable) {
  Flow flow = To("192.0.2.1");
  EXPECT_EQ(Selected(TwoUplinks(), flow), "10.0.0.1 dev 2 table 254");
  flow.mark = 100;
  EXPECT_EQ(Selected(TwoUplinks(), flow), "10.1.0.1 dev 3 table 100");
}

TEST(Select, KeepsTheFirstSourceWhereALaterLookupLeavesElsewhere) {
  State state = TwoUplinks();
  Rule from = Lookup(50, 100);
  from.from = Net("10.0.0.1/32");
  state.rules.insert(state.rules.begin() + 1, from);
  EXPECT_EQ(Selected(state, To("192.0.2.1")), "10.0.0.1 dev 3 table 100");
  state.rules[1].action = SRCSEL_RULE_PROHIBIT;
  EXPECT_EQ(Selected(state, To("192.0.2.1")), absl::StrCat("errno ", EACCES));
}

TEST(Select, HoldsThePortToBeChosenAgainstTheRules) {
  State state = TwoUplinks();
  state.settings.port_first = 32768;
  state.settings.port_last = 60999;
  Rule sport = Lookup(50, 100);
  sport.sports = Range16{32768, 60999};
  state.rules.insert(state.rules.begin() + 1, sport);
  EXPECT_EQ(Selected(state, To("192.0.2.1")), "10.0.0.1 dev 3 table 100");
  state.rules[1].sports = Range16{40000, 50000};
  EXPECT_EQ(Selected(state, To("192.0.2.1")),
            "port: 10.0.0.1 dev 2 table 254, 10.0.0.1 dev 3 table 100");
  Flow udp = To("192.0.2.1");
  udp.proto = IPPROTO_UDP;
  EXPECT_EQ(Selected(state, udp), "port: 10.0.0.1 dev 2 table 254, 10.1.0.1 dev 3 table 100");
}

TEST(Select, NamesAllPathsOfASecretHash) {
  State state = TwoUplinks();
  Route both = RouteTo("198.51.100.0/24", RT_TABLE_MAIN, 0);
  both.nexthops = {Via(2, "10.0.0.254"), Via(3, "10.1.0.254")};
  both.scope = RT_SCOPE_UNIVERSE;
  state.routes.push_back(both);
  EXPECT_EQ(Selected(state, To("198.51.100.1")),
            "hash: 10.0.0.1 dev 2 table 254, 10.1.0.1 dev 3 table 254");
  Flow bound = To("198.51.100.1");
  bound.source = Address("10.1.0.1");
  // Unless its nexthop keeps a source of another day.
  EXPECT_EQ(Selected(state, bound), "hash: 10.1.0.1 dev 2 table 254, 10.1.0.1 dev 3 table 254");
}

TEST(Select, AssumesWhatADeviceDoesNotReachToBeOnLink) {
  State state = TwoUplinks();
  Flow flow = To("192.0.2.1");
  flow.oif = 3;
  EXPECT_EQ(Selected(state, flow), "10.1.0.1 dev 3 table 0");
  flow.oif = 9;
  EXPECT_EQ(Selected(state, flow), absl::StrCat("errno ", ENODEV));
  state.links[2].flags = 0;
  flow.oif = 3;
  EXPECT_EQ(Selected(state, flow), absl::StrCat("errno ", ENETUNREACH));
}

TEST(Select, RefusesASourceThatIsNotTheHosts) {
  Flow flow = To("192.0.2.1");
  flow.source = Address("10.9.9.9");
  EXPECT_EQ(Selected(TwoUplinks(), flow), absl::StrCat("errno ", ENETUNREACH));
  flow.transparent = true;
  EXPECT_EQ(Selected(TwoUplinks(), flow), "10.9.9.9 dev 2 table 254");
}

TEST(Select, MappedAddressesAreOfIPv4) {
  EXPECT_EQ(Selected(TwoUplinks(), To("::ffff:192.0.2.1")), "10.0.0.1 dev 2 table 254");
}

TEST(Select, FindsAnIPv6SourceAlsoWhereOnlyItsRouteExists) {
  Route from = RouteTo("::/0", RT_TABLE_MAIN, 2);
  from.src = Net("fd00::/64");
  State state = UpLinks(StateOf({On(2, "fd00::1/64")}, {from}));
  EXPECT_EQ(Selected(state, To("2001:db8::1")), "fd00::1 dev 2 table 254");
  state.addresses.clear();
  EXPECT_EQ(Selected(state, To("2001:db8::1")), absl::StrCat("errno ", EADDRNOTAVAIL));
}

TEST(Select, DeletedBootRulesOfIPv6MayActOn) {
  State state = UpLinks(StateOf({On(2, "fd00::1/64")}, {RouteTo("::/0", RT_TABLE_MAIN, 2)}));
  std::erase_if(state.rules, [](const Rule &rule) { return rule.family == AF_INET6; });
  EXPECT_EQ(Selected(state, To("2001:db8::1")),
            absl::StrCat("rules: fd00::1 dev 2 table 254, errno ", ENETUNREACH));
}

// A throw in local ends the search in main too, if the two are one.
TEST(Select, BehindAThrowInLocalAnythingMayHappen) {
  const State state = UpLinks(
      StateOf({On(2, "10.0.0.1/24")}, {RouteTo("0.0.0.0/0", RT_TABLE_MAIN, 2),
                                       NoRouteTo("192.0.2.0/24", RT_TABLE_LOCAL, RTN_THROW)}));
  const Selection selection = Select(*Snapshot::Make(state, 1).value(), To("192.0.2.1"));
  EXPECT_EQ(selection.why, Ambiguity::kMerged);
  EXPECT_FALSE(selection.complete);
  EXPECT_EQ(Text(selection), "merged: 10.0.0.1 dev 2 table 254");
  State apart = state;
  apart.rules.insert(apart.rules.begin() + 1, Lookup(100, 100));
  EXPECT_EQ(Selected(apart, To("192.0.2.1")), "10.0.0.1 dev 2 table 254");
}

// A device may belong to a VRF, whose table no rule names.
TEST(Select, InsideAVrfAnythingMayHappen) {
  State state = TwoUplinks();
  Rule l3mdev = Lookup(50, RT_TABLE_UNSPEC), l3mdev6 = Lookup(50, RT_TABLE_UNSPEC, AF_INET6);
  l3mdev.l3mdev = l3mdev6.l3mdev = true;
  state.rules.insert(state.rules.begin() + 1, l3mdev);
  state.rules.insert(state.rules.end() - 1, l3mdev6);
  state.routes.push_back(RouteTo("::/0", RT_TABLE_MAIN, 2));
  state.addresses.push_back(On(2, "fd00::1/64"));
  const auto none = Snapshot::Make(state, 1);
  state.links.push_back({.index = 4, .name = "blue", .flags = IFF_UP, .vrf = true});
  const auto one = Snapshot::Make(state, 1);
  for (const char *to : {"192.0.2.1", "2001:db8::1"}) {
    Flow flow = To(to);
    EXPECT_TRUE(Select(**one, flow).exact()) << to;
    flow.oif = 2;
    EXPECT_TRUE(Select(**none, flow).exact()) << to;
    const Selection inside = Select(**one, flow);
    EXPECT_EQ(inside.why, Ambiguity::kVrf) << to;
    EXPECT_FALSE(inside.complete) << to;
    // What happens if it does not belong to one is among the candidates.
    EXPECT_THAT(inside.candidates, testing::Contains(Select(**none, flow).outcome)) << to;
  }
}

// FIB_RULE_FIND_SADDR: whether such a rule holds cannot be seen.
TEST(Select, BehindARuleThatFindsItsSourceItselfAnythingMayHappen) {
  State state = UpLinks(StateOf({On(2, "fd00::1/64")}, {RouteTo("::/0", RT_TABLE_MAIN, 2)}));
  Rule finds = Lookup(50, 100, AF_INET6);
  finds.from = Net("fd00::/64");
  finds.flags = FIB_RULE_FIND_SADDR;
  state.rules.insert(state.rules.end() - 1, finds);
  const Selection selection = Select(*Snapshot::Make(state, 1).value(), To("2001:db8::1"));
  EXPECT_EQ(selection.why, Ambiguity::kRules);
  EXPECT_FALSE(selection.complete);
  EXPECT_EQ(Text(selection), "rules: fd00::1 dev 2 table 254");
}

TEST(Select, ToItself) {
  State state = TwoUplinks();
  Route own = RouteTo("10.0.0.1/32", RT_TABLE_LOCAL, 2);
  own.type = RTN_LOCAL;
  own.scope = RT_SCOPE_HOST;
  state.routes.push_back(own);
  EXPECT_EQ(Selected(state, To("10.0.0.1")), "10.0.0.1 dev 1 table 255");
  own.dst = Net("127.0.0.0/8");
  own.prefsrc = Address("127.0.0.1");
  own.nexthops = {Via(1)};
  state.routes.push_back(own);
  EXPECT_EQ(Selected(state, To("0.0.0.0")), "127.0.0.1 dev 1 table 255");
}

}  // namespace
}  // namespace srcsel
