// Links and addresses as `ip` set them, against what is read back.

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "netlink_netns.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kAdminUp = IFF_UP, kLoopback = IFF_LOOPBACK, kLowerUp = IFF_LOWER_UP;

class KernelLinks : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) MakeDevices();
  }

  static InterfaceAddress Of(const char *local) {
    for (const InterfaceAddress &address : Read().addresses)
      if (address.local.ToString() == local) return address;
    ADD_FAILURE() << "no address " << local;
    return {};
  }
};

TEST_F(KernelLinks, Flags) {
  const Link lo = LinkNamed("lo");
  EXPECT_EQ(lo.index, 1u);
  EXPECT_EQ(lo.flags & (kAdminUp | kLoopback | kLowerUp), kAdminUp | kLoopback | kLowerUp);
  Ip("link set v1 down");
  EXPECT_EQ(LinkNamed("v0").flags & (kAdminUp | kLowerUp), kAdminUp);
  EXPECT_EQ(LinkNamed("v1").flags & kAdminUp, 0u);
}

TEST_F(KernelLinks, Group) {
  EXPECT_EQ(LinkNamed("v0").group, 0u);
  Ip("link set v0 group 42");
  EXPECT_EQ(LinkNamed("v0").group, 42u);
}

TEST_F(KernelLinks, Master) {
  EXPECT_EQ(LinkNamed("v1").master, 0u);
  Ip("link add br0 type bridge");
  Ip("link set v1 master br0");
  EXPECT_EQ(LinkNamed("v1").master, LinkNamed("br0").index);
}

TEST_F(KernelLinks, Settings) {
  const Link before = LinkNamed("v0");
  EXPECT_FALSE(before.route_localnet || before.ignore_linkdown[0] || before.ignore_linkdown[1]);
  SetSysctl("ipv4/conf/v0/route_localnet", "1");
  EXPECT_TRUE(LinkNamed("v0").route_localnet);
  SetSysctl("ipv4/conf/v0/ignore_routes_with_linkdown", "1");
  EXPECT_TRUE(LinkNamed("v0").ignore_linkdown[0]);
  EXPECT_FALSE(LinkNamed("v0").ignore_linkdown[1]);
  SetSysctl("ipv6/conf/v0/ignore_routes_with_linkdown", "1");
  EXPECT_TRUE(LinkNamed("v0").ignore_linkdown[1]);
}

TEST_F(KernelLinks, SettingsOfIPv6Sources) {
  Link expected = LinkNamed("v0");
  EXPECT_FALSE(expected.optimistic_dad || expected.use_optimistic || expected.use_oif_addrs_only);
  EXPECT_LE(expected.use_tempaddr, 0);
  for (const char *value : {"2", "1", "-1"}) {
    SetSysctl("ipv6/conf/v0/use_tempaddr", value);
    expected.use_tempaddr = std::atoi(value);
    EXPECT_EQ(LinkNamed("v0"), expected);
  }
  const std::pair<const char *, bool Link::*> switches[] = {
      {"optimistic_dad", &Link::optimistic_dad},
      {"use_optimistic", &Link::use_optimistic},
      {"use_oif_addrs_only", &Link::use_oif_addrs_only}};
  for (const auto &[name, field] : switches) {
    SetSysctl(absl::StrCat("ipv6/conf/v0/", name), "1");
    expected.*field = true;
    EXPECT_EQ(LinkNamed("v0"), expected) << name;
  }
}

TEST_F(KernelLinks, Cookie) {
  const State here = Read();
  EXPECT_EQ(here.netns, *NetnsCookie());
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  EXPECT_NE(Read().netns, here.netns);
}

TEST_F(KernelLinks, ReaderStaysInItsNamespace) {
  absl::StatusOr<StateReader> reader = StateReader::Open();
  const std::uint64_t cookie = *NetnsCookie();
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  const absl::StatusOr<State> state = reader->Read();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->netns, cookie);
  EXPECT_EQ(state->links.size(), 3u);
  EXPECT_EQ(state->device_order.size(), 3u);
}

TEST_F(KernelLinks, SecondaryAddressesInOrder) {
  for (const char *text : {"10.0.0.3/24", "192.0.2.1/24", "10.0.0.2/24"})
    Ip(absl::StrCat("address add dev v0 ", text));
  std::vector<std::string> order;
  for (const InterfaceAddress &address : Read().addresses)
    if (address.ifindex == LinkNamed("v0").index && address.local.is_v4())
      order.push_back(absl::StrCat(address.local.ToString(),
                                   address.flags & IFA_F_SECONDARY ? " secondary" : ""));
  EXPECT_EQ(order, (std::vector<std::string>{"10.0.0.1", "192.0.2.1", "10.0.0.3 secondary",
                                             "10.0.0.2 secondary"}));
}

TEST_F(KernelLinks, PeersAndScopes) {
  const std::uint32_t v1 = LinkNamed("v1").index;
  Ip("address add 192.0.2.1 peer 192.0.2.9/32 dev v1 scope link");
  EXPECT_EQ(Of("192.0.2.1"),
            (InterfaceAddress{v1, *IpAddress::Parse("192.0.2.1"), *Prefix::Parse("192.0.2.9/32"),
                              RT_SCOPE_LINK, IFA_F_PERMANENT}));
  Ip("address add fd01::1 peer fd01::9/128 dev v1 nodad");
  const InterfaceAddress peer = Of("fd01::1");
  EXPECT_EQ(peer.subnet.ToString(), "fd01::9/128");
  EXPECT_EQ(peer.scope, RT_SCOPE_UNIVERSE);
  EXPECT_EQ(Of("127.0.0.1").scope, RT_SCOPE_HOST);
  EXPECT_EQ(Of("10.0.0.1").subnet.ToString(), "10.0.0.1/24");
}

TEST_F(KernelLinks, WideAddressFlags) {
  Ip("address add fd02::1/64 dev v0 nodad noprefixroute");
  const std::uint32_t expected = IFA_F_PERMANENT | IFA_F_NODAD | IFA_F_NOPREFIXROUTE;
  EXPECT_EQ(Of("fd02::1").flags, expected);
  Ip("address add fd03::1/64 dev v0 nodad preferred_lft 0 valid_lft 1000");
  EXPECT_EQ(Of("fd03::1").flags, IFA_F_NODAD | IFA_F_DEPRECATED);
}

}  // namespace
}  // namespace srcsel
