// Routes as `ip route add` asked the kernel for them, against what is read back.

#include <linux/rtnetlink.h>
#include <poll.h>

#include <fstream>
#include <functional>

#include "netlink/follow.hh"
#include "netlink_netns.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kTable = 100;

IpAddress Address(const char *text) {
  return *IpAddress::Parse(text);
}

class KernelRoutes : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    MakeDevices();
    for (const Link &link : Read().links) {
      if (link.name == "v0") v0_ = link.index;
      if (link.name == "v1") v1_ = link.index;
    }
  }

  static std::vector<Route> ReadOurs() {
    std::vector<Route> ours;
    const Routes all = Read().routes;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all.At(i).table == kTable) ours.push_back(all.At(i));
    return ours;
  }

  // What `ip route add <dst> dev v0 table 100` makes when nothing else is said.
  Route Plain(const char *dst) const {
    Route route;
    route.dst = *Prefix::Parse(dst);
    const int family = route.dst.address.family();
    route.src = Prefix::Default(family);
    route.table = kTable;
    route.type = RTN_UNICAST;
    route.scope = family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    route.protocol = RTPROT_BOOT;
    route.metric = family == AF_INET ? 0 : 1024;
    route.nexthops.resize(1);
    route.nexthops[0].oif = v0_;
    return route;
  }

  // Adds the route of these words, expects `change` on top of a plain route, and takes it away.
  void Expect(const char *dst, const std::string &words,
              const std::function<void(Route &)> &change) const {
    const std::string ip = Prefix::Parse(dst)->address.is_v4() ? "-4 route " : "-6 route ";
    Ip(absl::StrCat(ip, "add table 100 ", words));
    Route expected = Plain(dst);
    change(expected);
    const std::vector<Route> ours = ReadOurs();
    ASSERT_EQ(ours.size(), 1u) << words;
    EXPECT_EQ(ours[0], expected) << words;
    Ip(absl::StrCat(ip, "del table 100 ", words));
  }

  std::uint32_t v0_ = 0, v1_ = 0;
};

TEST_F(KernelRoutes, IPv4) {
  const char *const dst = "198.51.100.0/24";
  const auto with = [&](const char *words) { return absl::StrCat(dst, " ", words); };
  Expect(dst, with("dev v0"), [](Route &) {});
  Expect("0.0.0.0/0", "default via 10.0.0.254 src 10.0.0.1 metric 50", [](Route &r) {
    r.scope = RT_SCOPE_UNIVERSE, r.metric = 50, r.prefsrc = Address("10.0.0.1");
    r.nexthops[0].gateway = Address("10.0.0.254");
  });
  Expect(dst, with("dev v0 tos 0x10 proto static scope host mtu 1400"), [](Route &r) {
    r.tos = 0x10, r.protocol = RTPROT_STATIC, r.scope = RT_SCOPE_HOST, r.mtu = 1400;
  });
  Expect(dst, with("via 192.0.2.1 dev v1 onlink"), [&](Route &r) {
    r.scope = RT_SCOPE_UNIVERSE, r.flags = RTNH_F_ONLINK;
    r.nexthops[0] = {v1_, Address("192.0.2.1"), 1, RTNH_F_ONLINK, false};
  });
  Expect(dst, with("via inet6 fe80::1 dev v0"),
         [](Route &r) { r.scope = RT_SCOPE_UNIVERSE, r.nexthops[0].gateway = Address("fe80::1"); });
}

TEST_F(KernelRoutes, Types) {
  const std::pair<const char *, std::uint8_t> types[] = {{"blackhole", RTN_BLACKHOLE},
                                                         {"unreachable", RTN_UNREACHABLE},
                                                         {"prohibit", RTN_PROHIBIT},
                                                         {"throw", RTN_THROW}};
  for (const auto &[word, type] : types) {
    Expect("198.51.100.0/24", absl::StrCat(word, " 198.51.100.0/24"),
           [&](Route &r) { r.type = type, r.scope = RT_SCOPE_UNIVERSE, r.nexthops[0].oif = 0; });
    Expect("2001:db8::/32", absl::StrCat(word, " 2001:db8::/32"),
           [&](Route &r) { r.type = type, r.nexthops[0].oif = 1; });
  }
  Expect("198.51.100.0/24", "local 198.51.100.0/24 dev v0",
         [](Route &r) { r.type = RTN_LOCAL, r.scope = RT_SCOPE_HOST; });
}

TEST_F(KernelRoutes, Multipath) {
  Expect("198.51.100.0/24",
         "198.51.100.0/24 nexthop via 10.0.0.254 weight 3 nexthop via inet6 fe80::1 dev v1"
         " nexthop dev v1 weight 256",
         [&](Route &r) {
           r.scope = RT_SCOPE_UNIVERSE;
           r.nexthops = {{v0_, Address("10.0.0.254"), 3, 0, false},
                         {v1_, Address("fe80::1"), 1, 0, false},
                         {v1_, std::nullopt, 256, 0, false}};
         });
  Expect("2001:db8::/32", "2001:db8::/32 nexthop via fd00::fe weight 2 nexthop via fe80::1 dev v1",
         [&](Route &r) {
           r.nexthops = {{v0_, Address("fd00::fe"), 2, 0, false},
                         {v1_, Address("fe80::1"), 1, 0, false}};
         });
}

TEST_F(KernelRoutes, ThroughNexthopObjects) {
  Ip("nexthop add id 1 via 10.0.0.254 dev v0");
  Ip("nexthop add id 2 dev v1");
  Ip("nexthop add id 9 group 1,5/2");
  Expect("198.51.100.0/24", "198.51.100.0/24 nhid 1", [](Route &r) {
    r.scope = RT_SCOPE_UNIVERSE, r.nexthop_id = 1;
    r.nexthops[0].gateway = Address("10.0.0.254");
  });
  Expect("198.51.100.0/24", "198.51.100.0/24 nhid 9", [&](Route &r) {
    r.scope = RT_SCOPE_UNIVERSE, r.nexthop_id = 9;
    r.nexthops = {{v0_, Address("10.0.0.254"), 5, 0, false}, {v1_, std::nullopt, 1, 0, false}};
  });

  std::ofstream("/proc/sys/net/ipv4/nexthop_compat_mode") << 0;
  Expect("198.51.100.0/24", "198.51.100.0/24 nhid 1",
         [](Route &r) { r.scope = RT_SCOPE_UNIVERSE, r.nexthop_id = 1, r.nexthops[0] = {}; });
}

TEST_F(KernelRoutes, IPv6) {
  const char *const dst = "2001:db8::/32";
  Expect(dst, "2001:db8::/32 dev v0", [](Route &) {});
  Expect("::/0", "default via fe80::1 dev v1 src fd00::1 metric 7 pref high mtu 1400",
         [&](Route &r) {
           r.metric = 7, r.pref = 1, r.mtu = 1400, r.prefsrc = Address("fd00::1");
           r.nexthops[0] = {v1_, Address("fe80::1"), 1, 0, false};
         });
  Expect(dst, "2001:db8::/32 from fd00::/8 dev v0",
         [](Route &r) { r.src = *Prefix::Parse("fd00::/8"); });
}

TEST_F(KernelRoutes, ExpireInHundredths) {
  Ip("-6 route add 2001:db8::/32 dev v0 table 100 expires 1000");
  const std::vector<Route> ours = ReadOurs();
  ASSERT_EQ(ours.size(), 1u);
  ASSERT_TRUE(ours[0].expires.has_value());
  EXPECT_LE(*ours[0].expires, 100000);
  EXPECT_GE(*ours[0].expires, 90000);
}

// The kernel tells routes of a lost carrier some time after the link.
TEST_F(KernelRoutes, SayWhenTheirLinkIsDown) {
  Ip("route add 198.51.100.0/24 dev v0 table 100");
  absl::StatusOr<Follower> follower = Follower::Open();
  ASSERT_TRUE(follower.ok()) << follower.status();
  Ip("link set v1 down");
  pollfd changes{follower->fd(), POLLIN, 0};
  std::uint8_t flags = 0;
  while (flags == 0 && poll(&changes, 1, 10000) == 1) {
    ASSERT_TRUE(follower->Drain(Gateways()).value().routing);
    flags = ReadOurs().at(0).nexthops.at(0).flags;
  }
  EXPECT_EQ(flags, RTNH_F_LINKDOWN);
}

TEST_F(KernelRoutes, KeepTheKernelsOrder) {
  for (const char *metric : {"30", "10", "20"})
    Ip(absl::StrCat("route add 198.51.100.0/24 dev v0 table 100 metric ", metric));
  Ip("route append 198.51.100.0/24 dev v1 table 100 metric 10");
  std::vector<std::pair<std::uint32_t, std::uint32_t>> order;
  for (const Route &route : ReadOurs()) order.emplace_back(route.metric, route.nexthops[0].oif);
  EXPECT_EQ(order, (std::vector<std::pair<std::uint32_t, std::uint32_t>>{
                       {10, v0_}, {10, v1_}, {20, v0_}, {30, v0_}}));
}

}  // namespace
}  // namespace srcsel
