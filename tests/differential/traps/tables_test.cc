// What a table gives to flows of a device, and to those with several ways.

#include <set>

#include "differential/traps/traps.hh"

namespace srcsel {
namespace {

TEST_F(Traps, T03_BoundDeviceOverridesEveryErrorInIpv4Alone) {
  MakeUplinks();
  Do({"ip -4 route add unreachable 20.0.0.0/8", "ip -4 route add blackhole 21.0.0.0/8",
      "ip -4 rule add pref 10 to 22.0.0.0/8 prohibit",
      "ip -4 rule add pref 11 to 23.0.0.0/8 blackhole", "ip -6 route add unreachable fd20::/32",
      "ip -6 rule add pref 10 to fd22::/32 prohibit"});
  const auto bound = [&](Flow flow, const char *link) {
    flow.oif = Index(link);
    return flow;
  };
  for (const char *to : {"20.0.0.1", "21.0.0.1", "22.0.0.1", "23.0.0.1", "24.0.0.1"}) {
    EXPECT_EQ(Dial(bound(Tcp(to), "v1")), "v1 10.1.0.1");
    EXPECT_EQ(Ask(bound(Udp(to), "v1")), "v1 10.1.0.1");
  }
  EXPECT_EQ(Dial(bound(Tcp("fd20::1"), "v1")), "ENETUNREACH");  // a route of lo
  EXPECT_EQ(Dial(bound(Tcp("fd22::1"), "v1")), "EACCES");
  EXPECT_EQ(Dial(bound(Tcp("fd24::1"), "v1")), "ENETUNREACH");
}

TEST_F(Traps, T07_NexthopObjectEndsTheSearchOfItsPrefix) {
  MakeUplinks();
  Do({"ip nexthop add id 40 via 10.0.0.250 dev v0",
      "ip -4 route add 20.0.0.0/8 via 10.1.0.251 dev v1",
      "ip -4 route add 20.1.0.0/16 metric 1 nhid 40",
      "ip -4 route add 20.1.0.0/16 metric 2 via 10.1.0.252 dev v1",
      "ip -4 route add 20.2.0.0/16 metric 1 via 10.0.0.250 dev v0",
      "ip -4 route add 20.2.0.0/16 metric 2 via 10.1.0.252 dev v1"});
  const auto gateway = [&](const char *to) {
    Flow flow = Udp(to);
    flow.oif = Index("v1");
    EXPECT_EQ(Ask(flow), "v1 10.1.0.1");
    const std::optional<IpAddress> kernels = AskKernel(flow)->gateway;
    EXPECT_EQ(OursOf(flow).gateway, kernels);
    return kernels.value_or(IpAddress()).ToString();
  };
  EXPECT_EQ(gateway("20.1.0.1"), "10.1.0.251");
  EXPECT_EQ(gateway("20.2.0.1"), "10.1.0.252");
}

TEST_F(Traps, T07_SourceOfANexthopObjectDependsOnWhichRouteWasLookedUpFirst) {
  MakeUplinks();
  Do({"ip -4 addr add 192.168.9.1/32 dev v0 scope link", "ip nexthop add id 40 dev v0",
      "ip -4 route add 20.0.0.0/8 scope link nhid 40",
      "ip -4 route add 21.0.0.0/8 scope global nhid 40"});
  std::set<std::string> seen;
  for (const char *first : {"20.0.0.1", "21.0.0.1"}) {
    // Makes the kernel choose anew.
    Do({"ip -4 addr add 10.66.0.1/32 dev lo", "ip -4 addr del 10.66.0.1/32 dev lo"});
    ASSERT_TRUE(AskKernel(Udp(first)).ok());
    seen.insert(DialUnsure(Udp("20.0.0.1"), Ambiguity::kNexthop));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"v0 10.0.0.1", "v0 192.168.9.1"}));
}

TEST_F(Traps, T07_GroupOfIpv6TakesTheSourceOfItsFirstMember) {
  MakeUplinks();
  Do({"sysctl net.ipv4.fib_multipath_hash_seed=7", "ip -6 nexthop add id 60 via fd00::fe dev v0",
      "ip -6 nexthop add id 61 via fd01::fe dev v1", "ip nexthop add id 62 group 60/61",
      "ip -6 route add fd20::/32 nhid 62"});
  std::set<std::string> seen;
  for (int i = 1; i < 20; ++i) seen.insert(Dial(Udp(absl::StrCat("fd20::", i))));
  EXPECT_EQ(seen, (std::set<std::string>{"v0 fd00::1", "v1 fd00::1"}));
}

TEST_F(Traps, T13_RouterPreferenceOutweighsADeviceThatIsOnlyPreferred) {
  MakeUplinks();
  Do({"ip -6 route add fd20::/32 dev v0 pref high", "ip -6 route append fd20::/32 dev v1 pref low",
      "ip -6 route add fd21::/32 dev v0", "ip -6 route append fd21::/32 dev v1"});
  const auto preferring = [&](Flow flow) {
    flow.source = Address("fd01::1");
    flow.oif = Index("v1");
    flow.oif_strict = false;
    return flow;
  };
  EXPECT_EQ(Dial(preferring(Udp("fd20::1"))), "v0 fd01::1");
  EXPECT_EQ(Ask(preferring(Udp("fd20::1"))), "v0 fd01::1");
  EXPECT_EQ(Dial(preferring(Udp("fd21::1"))), "v1 fd01::1");
}

TEST_F(Traps, T13_SiblingsIgnoreADeviceThatIsOnlyPreferred) {
  MakeUplinks();
  Do({"sysctl net.ipv4.fib_multipath_hash_seed=7",
      "ip -6 route add fd20::/32 nexthop via fd00::fe dev v0 nexthop via fd01::fe dev v1"});
  std::set<std::string> seen, strict;
  for (int i = 1; i < 20; ++i) {
    Flow flow = Udp(absl::StrCat("fd20::", i));
    flow.source = Address("fd01::1");
    flow.oif = Index("v1");
    strict.insert(Dial(flow));
    flow.oif_strict = false;
    seen.insert(Dial(flow));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"v0 fd01::1", "v1 fd01::1"}));
  EXPECT_EQ(strict, (std::set<std::string>{"v1 fd01::1"}));
}

}  // namespace
}  // namespace srcsel
