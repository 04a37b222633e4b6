// What random hosts found the library not to know, made small.

#include <set>

#include "differential/traps/traps.hh"

namespace srcsel {
namespace {

Flow PreferringV1(Flow flow) {
  flow.source = IpAddress::Parse("fd01::1").value();
  flow.oif = 11;
  flow.oif_strict = false;
  return flow;
}

Flow BoundTo(Flow flow, absl::string_view source) {
  flow.source = IpAddress::Parse(source).value();
  return flow;
}

class RandomHosts : public Traps {};

TEST_F(RandomHosts, AllRoutesOfAPrefixOfMainMayComeBeforeLocal) {
  MakeUplinks();
  Do({"ip -4 route add local 20.0.0.0/8 dev lo",
      "ip -4 route add 20.1.0.0/16 tos 0x10 via 10.0.0.254",
      "ip -4 route add 20.1.0.0/16 via 10.1.0.254"});
  EXPECT_EQ(DialUnsure(Udp("20.1.0.1"), Ambiguity::kMerged), "v1 10.1.0.1");
}

// Both have the prefix, and the one of local leaves by another device.
TEST_F(RandomHosts, RouteOfMainMayComeBetweenTwoOfLocal) {
  MakeUplinks();
  Do({"ip -4 route add local 20.0.0.0/8 dev v0", "ip -4 route add prohibit default table local",
      "ip -4 route add 20.0.0.0/8 via 10.1.0.254 src 10.0.0.1"});
  Flow flow = Udp("20.1.0.1");
  EXPECT_EQ(Dial(flow), "lo 20.1.0.1");
  flow.oif = Index("v1");
  EXPECT_EQ(DialUnsure(flow, Ambiguity::kMerged), "v1 10.0.0.1");
  Do({"ip -4 rule add pref 10 iif nosuch"});
  EXPECT_EQ(Dial(flow), "v1 10.1.0.1");
}

TEST_F(RandomHosts, SiblingsAddedOneByOneHaveTermsOfTheirOwn) {
  MakeUplinks();
  Do({"sysctl net.ipv4.fib_multipath_hash_seed=7", "ip addr add fd77::1/128 dev lo nodad",
      "ip -6 route add fd20::/32 via fd00::fe dev v0 src fd77::1",
      "ip -6 route append fd20::/32 via fd01::fe dev v1",
      "ip -6 route append fd20::/32 via fd01::fd dev v1 src fd00::1 mtu 1300",
      "ip -6 route add fd21::1 via fd00::fe dev v0 table 102",
      "ip -6 route append fd21::1 via fd01::fe dev v1 src fd77::1 table 102",
      "ip -6 rule add pref 10 fwmark 5 table 102", "ip -6 route add fd22::/32 via fd00::fe dev v0",
      "ip -6 route append fd22::/32 via fd01::fe dev v1 src fd77::1"});
  std::set<std::string> all, marked;
  for (int i = 1; i < 40; ++i) {
    Flow flow = Udp(absl::StrCat("fd20::", i));
    all.insert(Ask(flow));
    EXPECT_EQ(OursOf(flow).mtu, AskKernel(flow)->mtu);
    flow = Udp("fd21::1");
    flow.mark = 5;
    flow.label = static_cast<std::uint32_t>(i);
    marked.insert(Ask(flow));
  }
  EXPECT_EQ(all, (std::set<std::string>{"v0 fd77::1", "v1 fd01::1", "v1 fd00::1"}));
  EXPECT_EQ(marked, (std::set<std::string>{"v0 fd00::1", "v1 fd77::1"}));
  // Longer prefixes hide the third from those that are asked.
  std::set<std::string> hidden;
  for (const char *longer : {"fd22:0:2a2a::/48", "fd22:0:5a5a::/48", "fd22:0:0::/48"})
    Do({absl::StrCat("ip -6 route add ", longer, " dev v0")});
  for (int i = 1; i < 40; ++i)
    hidden.insert(DialUnsure(Udp(absl::StrCat("fd22:0:1::", i)), Ambiguity::kRoutes));
  EXPECT_EQ(hidden, (std::set<std::string>{"v0 fd00::1", "v1 fd77::1"}));
}

// A nexthop object goes with its carrier, and its route, which was for all sources, with it.
TEST_F(RandomHosts, RouteForSomeSourcesIsLostWithTheOneForAll) {
  MakeUplinks();
  Do({"ip -6 route add fd20::/16 from fd00::/16 dev v1", "ip -6 route add fd20:0:1::/48 dev v0"});
  const Flow flow = BoundTo(Udp("fd20:2::1"), "fd00::1");
  EXPECT_EQ(DialUnsure(flow, Ambiguity::kRoutes), "v1 fd00::1");
  Do({"ip -6 route add fd20::/16 dev v0 metric 5"});
  EXPECT_EQ(Dial(flow), "v1 fd00::1");
  Do({"ip -6 route del fd20::/16 dev v0 metric 5"});
  EXPECT_EQ(DialUnsure(flow, Ambiguity::kRoutes), "v0 fd00::1");
  EXPECT_EQ(Dial(BoundTo(Udp("fd20:0:1::1"), "fd00::1")), "v0 fd00::1");
  // Without a longer prefix there is nothing to mistake.
  Do({"ip -6 route add fd30::/16 from fd00::/16 dev v1", "ip -6 route add fd30::/16 dev v0",
      "ip -6 route del fd30::/16 dev v0"});
  EXPECT_EQ(Dial(BoundTo(Udp("fd30::1"), "fd00::1")), "v1 fd00::1");
}

TEST_F(RandomHosts, LostRouteForSomeSourcesOfADeviceGivesWayToAnothers) {
  MakeUplinks();
  Do({"ip -6 route del default dev v0", "ip -6 route add default dev v1 metric 5",
      "ip -6 route add fd20:0:1::/48 dev v0", "ip -6 route add fd20::/16 dev v0 metric 5",
      "ip -6 route add fd20::/16 from fd01::/16 dev v0",
      "ip -6 route del fd20::/16 dev v0 metric 5"});
  Flow flow = PreferringV1(Udp("fd20:2::1"));
  flow.oif = Index("v0");
  EXPECT_EQ(DialUnsure(flow, Ambiguity::kRoutes), "v1 fd01::1");
}

// Who asks for fd20:: itself does not come by the route for all.
TEST_F(RandomHosts, WayBackFromALongerPrefixIsOpenToAllSources) {
  MakeUplinks();
  Do({"ip -6 route del default dev v0", "ip -6 route add unreachable fd20::/30 from fd99::1/128",
      "ip -6 route add fd20::/48 from fd00::/16 dev v1", "ip -6 route append fd20::/30 dev v0"});
  Flow flow = BoundTo(Udp("fd20::1"), "fd00::1");
  EXPECT_EQ(Dial(flow), "v1 fd00::1");
  flow.oif = Index("v0");
  EXPECT_EQ(Dial(flow), "v0 fd00::1");
  flow.oif = 0;
  flow.destination = Address("fd20:1::1");
  EXPECT_EQ(Dial(flow), "ENETUNREACH");
  // Nor is it where the gateway of one has failed.
  Do({"ip -6 route add default dev v1 metric 5", "ip -6 route add fd21::/32 dev v0",
      "ip -6 route add fd21::/32 via fd00::f dev v0 from fd00::/16",
      "ip -6 route add throw fd21::/35 from fd01::/16",
      "ip -6 neigh replace fd00::f lladdr 02:00:00:00:00:02 dev v0 extern_learn nud failed"});
  EXPECT_EQ(Dial(Udp("fd21::1")), "v1 fd01::1");
  EXPECT_EQ(Dial(BoundTo(Udp("fd21::1"), "fd00::1")), "v0 fd00::1");
}

// Its MTU too.
TEST_F(RandomHosts, SiblingThatNoFlowCanBeAskedAboutIsNotKnown) {
  MakeUplinks();
  Do({"ip -6 route add fd20::/32 via fd00::fe dev v0 mtu 1300",
      "ip -6 route append fd20::/32 via fd01::fe dev v1"});
  Flow flow = BoundTo(Udp("fd20::1"), "fd01::1");
  flow.oif = Index("v1");
  EXPECT_EQ(Dial(flow), "v1 fd01::1");
  Do({"ip -6 route add ::/0 via fd00::fe dev v0 table local"});
  EXPECT_EQ(DialUnsure(flow, Ambiguity::kRoutes), "v1 fd01::1");
}

TEST_F(RandomHosts, LostRouteForSomeSourcesThrowsOrIsSuppressed) {
  MakeUplinks();
  Do({"ip -6 rule add pref 10 table 100", "ip -6 rule add pref 9 to fd21::/16 table 100",
      "ip -6 route add fd20:0:1::/48 dev v0 table 100",
      "ip -6 route add throw fd20::/16 from fd00::/16 table 100",
      "ip -6 route add fd20::/16 dev v0 table 100", "ip -6 route add fd20::/8 dev v1 table 100"});
  const Flow flow = BoundTo(Udp("fd20:2::1"), "fd00::1");
  EXPECT_EQ(Dial(flow), "v0 fd00::1");
  Do({"ip -6 route del fd20::/16 dev v0 table 100"});
  EXPECT_EQ(DialUnsure(flow, Ambiguity::kRoutes), "v1 fd00::1");
}

TEST_F(RandomHosts, GroupIsKnownByItsFirstMemberToADeviceThatIsOnlyPreferred) {
  MakeUplinks();
  Do({"sysctl net.ipv4.fib_multipath_hash_seed=7", "ip -6 nexthop add id 60 via fd00::fe dev v0",
      "ip -6 nexthop add id 61 via fd01::fe dev v1", "ip nexthop add id 62 group 60/61",
      "ip -6 route add fd20::/32 nhid 62", "ip -6 route append fd20::/32 dev v1",
      "ip -6 route add fd21::/32 dev v0", "ip -6 route append fd21::/32 nhid 62",
      "ip -6 route add fd22::/32 nhid 62"});
  std::set<std::string> first, second, alone;
  for (int i = 1; i < 20; ++i) {
    first.insert(Dial(PreferringV1(Udp(absl::StrCat("fd20::", i)))));
    second.insert(Dial(PreferringV1(Udp(absl::StrCat("fd21::", i)))));
    alone.insert(Dial(PreferringV1(Udp(absl::StrCat("fd22::", i)))));
  }
  const std::set<std::string> hashed = {"v0 fd01::1", "v1 fd01::1"};
  EXPECT_EQ(first, std::set<std::string>{"v1 fd01::1"});
  EXPECT_EQ(second, hashed);
  EXPECT_EQ(alone, hashed);
}

// What v0 lends x30 when the route is made; later the loopback device would.
TEST_F(RandomHosts, NexthopOfARouteWithASourceKeepsTheOneThatItWasMadeWith) {
  MakeUplinks();
  Do(Veth(30));
  Do({"sysctl net.ipv4.fib_multipath_hash_seed=7",
      "ip -4 route add 20.0.0.0/8 src 10.1.0.1 nexthop via 10.5.0.254 dev x30 onlink weight 1 "
      "nexthop via 10.1.0.254 dev v1 weight 256"});
  EXPECT_EQ(DialUnsure(BoundTo(Udp("20.0.0.1"), "10.0.0.1"), Ambiguity::kNexthop), "x30 10.0.0.1");
  Do({"ip -4 addr add 10.66.0.1/32 dev lo"});
  EXPECT_EQ(DialUnsure(BoundTo(Udp("20.0.0.1"), "10.66.0.1"), Ambiguity::kNexthop), "v1 10.66.0.1");
  EXPECT_EQ(DialUnsure(BoundTo(Udp("20.0.0.1"), "10.0.0.1"), Ambiguity::kNexthop), "x30 10.0.0.1");
  // Nor does what is left of a device's addresses tell what it had.
  Do({"ip -4 addr add 10.1.0.2/25 dev v1",
      "ip -4 route add 21.0.0.0/8 src 10.1.0.2 nexthop via 10.0.0.254 dev v0 weight 256 "
      "nexthop via 10.1.0.254 dev v1 weight 1",
      "ip -4 addr del 10.1.0.1/24 dev v1"});
  EXPECT_EQ(DialUnsure(BoundTo(Udp("21.0.0.1"), "10.1.0.2"), Ambiguity::kNexthop), "v0 10.1.0.2");
}

// Nor does what a device has now tell what it had when the route was made.
TEST_F(RandomHosts, NexthopKeepsWhatItWasMadeWithWhateverCameSince) {
  MakeUplinks();
  Do({"sysctl net.ipv4.fib_multipath_hash_seed=7", "ip -4 addr add 10.9.9.9/32 dev lo",
      "ip -4 route add 20.0.0.0/8 src 10.9.9.9 nexthop via 10.7.0.254 dev v0 onlink weight 1 "
      "nexthop via 10.1.0.254 dev v1 weight 256",
      "ip -4 addr add 10.7.0.1/24 dev v0"});
  EXPECT_EQ(DialUnsure(BoundTo(Udp("20.0.0.1"), "10.0.0.1"), Ambiguity::kNexthop), "v0 10.0.0.1");
  Do(Veth(30));
  Do({"ip -4 route add 21.0.0.0/8 src 10.9.9.9 nexthop via 10.8.0.254 dev x30 onlink weight 1 "
      "nexthop via 10.1.0.254 dev v1 weight 256",
      "ip -4 addr add 10.8.0.1/24 dev x30"});
  EXPECT_EQ(DialUnsure(BoundTo(Udp("21.0.0.1"), "10.9.9.9"), Ambiguity::kNexthop), "x30 10.9.9.9");
}

// Out of main a route stays when its source goes.
TEST_F(RandomHosts, NexthopKeepsTheSourceOfItsRouteAfterItHasGone) {
  MakeUplinks();
  Do({"sysctl net.ipv4.fib_multipath_hash_seed=7", "ip -4 addr add 10.7.0.1/24 dev v0",
      "ip -4 route add 20.0.0.0/8 src 10.7.0.1 table 100 nexthop via 10.7.0.254 dev v0 "
      "weight 1 nexthop via 10.1.0.254 dev v1 weight 256",
      "ip -4 rule add pref 10 table 100", "ip -4 addr del 10.7.0.1/24 dev v0"});
  Flow flow = Udp("20.0.0.1");
  flow.transparent = true;
  EXPECT_EQ(DialUnsure(flow, Ambiguity::kNexthop), "v0 10.7.0.1");
}

// v0's has had no lookup since it had another address.
TEST_F(RandomHosts, NexthopKeepsTheOnlySourceOfAnotherDay) {
  MakeUplinks();
  Do({"sysctl net.ipv4.fib_multipath_hash_seed=7", "ip -4 addr add 10.7.0.1/24 dev v0",
      "ip -4 route add 20.0.0.0/8 nexthop via 10.7.0.254 dev v0 weight 1 "
      "nexthop via 10.1.0.254 dev v1 weight 256",
      "ip -4 addr del 10.7.0.1/24 dev v0"});
  EXPECT_EQ(DialUnsure(BoundTo(Udp("20.0.0.1"), "10.0.0.1"), Ambiguity::kNexthop), "v1 10.0.0.1");
}

TEST_F(RandomHosts, NexthopJustTakenHasItsSource) {
  MakeUplinks();
  Do({"sysctl net.ipv4.fib_multipath_hash_seed=7",
      "ip -4 route add 20.0.0.0/8 nexthop via 10.0.0.254 dev v0 nexthop via 10.1.0.254 dev v1"});
  std::set<std::string> taken;
  for (int i = 1; i < 20; ++i) taken.insert(Dial(Udp(absl::StrCat("20.0.0.", i))));
  EXPECT_EQ(taken, (std::set<std::string>{"v0 10.0.0.1", "v1 10.1.0.1"}));
}

// As if it were none.
TEST_F(RandomHosts, DefaultByAGroupOfOneTakesTurns) {
  MakeUplinks();
  Do({"ip -4 nexthop add id 40 via 10.1.0.253 dev v1", "ip nexthop add id 42 group 40",
      "ip nexthop add id 43 group 40 type resilient buckets 32",
      "ip -4 route add default nhid 42 table 102", "ip -4 route add default nhid 43 table 103",
      "ip -4 route append default via 10.0.0.254 table 102",
      "ip -4 route append default via 10.0.0.254 table 103",
      "ip -4 rule add pref 10 to 20.0.0.0/8 table 102",
      "ip -4 rule add pref 11 to 21.0.0.0/8 table 103",
      "ip -4 neigh replace 10.1.0.253 lladdr 02:00:00:00:00:01 dev v1 extern_learn nud "
      "incomplete"});
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "v0 10.0.0.1");
  EXPECT_EQ(Dial(Udp("21.0.0.1")), "v0 10.0.0.1");
}

// Until a lookup without a source takes the nexthop; v0's device has no other, and is sure.
TEST_F(RandomHosts, NexthopKeepsWhatWasLentAfterItHasGone) {
  MakeUplinks();
  Do(Veth(30));
  Do({"sysctl net.ipv4.fib_multipath_hash_seed=7", "ip -4 route del 10.1.0.0/24 dev v1",
      "ip -4 addr add 10.66.0.1/32 dev lo",
      "ip -4 route add 20.0.0.0/8 nexthop dev x30 weight 256 nexthop via 10.0.0.254 dev v0 weight "
      "1",
      "ip -4 addr del 10.66.0.1/32 dev lo"});
  EXPECT_EQ(DialUnsure(BoundTo(Udp("20.0.0.1"), "10.0.0.1"), Ambiguity::kNexthop), "v0 10.0.0.1");
  EXPECT_EQ(Ask(Udp("20.0.0.1")), "x30 10.0.0.1");
  EXPECT_EQ(DialUnsure(BoundTo(Udp("20.0.0.1"), "10.0.0.1"), Ambiguity::kNexthop), "x30 10.0.0.1");
}

// Found with the port, when the socket has no source already.
TEST_F(RandomHosts, SourceOfTheLastLookupIsNotTheSockets) {
  Do(Veth(20));
  Do(Veth(30));
  Do({"ip -4 addr add 10.2.5.1/24 dev x30 scope link",
      "ip -4 route add 20.0.0.0/6 src 10.2.5.1 dev x20 table 100",
      "ip -4 route add 20.1.0.0/16 dev x30 scope global",
      "ip -4 rule add pref 10 ipproto tcp sport 0x8000/0x8001 table 100"});
  EXPECT_EQ(DialUnsure(Tcp("20.1.0.1"), Ambiguity::kPort), "x20 0.0.0.0");
}

TEST_F(RandomHosts, RouteBetweenTwoThatShareFlowsIsNotListed) {
  MakeUplinks();
  Do({"ip -6 route add fd20::/32 via fd00::fe dev v0", "ip -6 route append blackhole fd20::/32",
      "ip -6 route append fd20::/32 via fd01::fe dev v1",
      "ip -6 route add fd21::/32 via fd00::fe dev v0", "ip -6 route append fd21::/32 dev v1",
      "ip -6 route append fd21::/32 via fd00::fd dev v0",
      "ip -6 route add fd22::/32 nexthop via fd00::fe dev v0 nexthop via fd00::fd dev v0",
      "ip -6 route append fd22::/32 dev v1"});
  DialUnsure(Udp("fd20::1"), Ambiguity::kRoutes);
  Flow flow = Udp("fd20::1");
  flow.oif = Index("lo");
  EXPECT_EQ(DialUnsure(flow, Ambiguity::kRoutes), "EINVAL");
  flow = Udp("fd21::1");
  flow.oif = Index("v1");
  EXPECT_EQ(DialUnsure(flow, Ambiguity::kRoutes), "v1 fd01::1");
  // Behind both it is.
  flow = Udp("fd22::1");
  flow.oif = Index("v1");
  EXPECT_EQ(Dial(flow), "v1 fd01::1");
}

// A flow without a source is looked up with :: for one.
TEST_F(RandomHosts, RouteForSourcesThatTheUnspecifiedAddressIsOneOf) {
  MakeUplinks();
  Do({"ip -6 route add fd20::/32 via fd00::fe dev v0",
      "ip -6 route add fd20::/32 from ::/1 via fd01::fe dev v1",
      "ip -6 route add default from ::/3 via fd01::fe dev v1",
      "ip -6 route add fd22::/32 from 4000::/2 via fd00::fe dev v0"});
  EXPECT_EQ(Dial(Udp("fd20::1")), "v1 fd01::1");
  EXPECT_EQ(Dial(BoundTo(Udp("fd20::1"), "fd00::1")), "v0 fd00::1");
  EXPECT_EQ(Dial(Udp("fd22::1")), "v1 fd01::1");
  EXPECT_EQ(Dial(BoundTo(Udp("fd22::1"), "fd00::1")), "v0 fd00::1");
}

TEST_F(RandomHosts, SiblingOfTheDeviceThatHasFailedGivesWay) {
  MakeUplinks();
  Do({"sysctl net.ipv4.fib_multipath_hash_seed=7",
      "sysctl net.ipv6.neigh.v1.retrans_time_ms=100000000",
      "ip -6 neigh replace fd01::f lladdr 02:00:00:00:00:02 dev v1 extern_learn nud failed",
      "ip -6 route add fd20::/32 nexthop via fd00::fe dev v0 nexthop via fd01::f dev v1",
      "ip -6 route add fd20::/32 metric 2000 via fd01::fe dev v1",
      "ip -6 nexthop add id 60 via fd00::fe dev v0", "ip -6 nexthop add id 61 via fd01::f dev v1",
      "ip nexthop add id 62 group 60/61", "ip -6 route add fd21::/32 nhid 62",
      "ip -6 route add fd21::/32 metric 2000 via fd01::fe dev v1"});
  for (const char *to : {"fd20::1", "fd20::2", "fd20::3", "fd21::1", "fd21::2"}) {
    Flow flow = Udp(to);
    flow.oif = Index("v1");
    EXPECT_EQ(Ask(flow), "v1 fd01::1");
    EXPECT_EQ(AskKernel(flow)->gateway, Address("fd01::fe"));
    EXPECT_EQ(OursOf(flow).gateway, Address("fd01::fe"));
  }
}

}  // namespace
}  // namespace srcsel
