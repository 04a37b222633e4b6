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
