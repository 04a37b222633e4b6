// Which address a device lends.

#include "differential/traps/traps.hh"

namespace srcsel {
namespace {

TEST_F(Traps, T08_LinkScopeServesDeviceRoutesAlone) {
  MakeUplinks();
  Do({"ip -4 addr add 192.168.9.1/32 dev v0 scope link", "ip -4 route add 20.0.0.0/8 dev v0",
      "ip -4 route add 21.0.0.0/8 via 10.0.0.254"});
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "v0 192.168.9.1");
  EXPECT_EQ(Dial(Udp("21.0.0.1")), "v0 10.0.0.1");
}

TEST_F(Traps, T08_SecondaryAddressesNeverServe) {
  MakeUplinks();
  Do({"ip -4 addr add 10.0.0.2/24 dev v0", "ip -4 addr add 10.7.0.1/24 dev v0",
      "ip -4 route add 20.0.0.0/8 dev v0"});
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "v0 10.0.0.1");
  // The secondary goes with its primary.
  Do({"ip -4 addr del 10.0.0.1/24 dev v0"});
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "v0 10.7.0.1");
}

TEST_F(Traps, T08_SecondaryThatIsPromotedGoesToTheEnd) {
  MakeUplinks();
  Do({"sysctl net.ipv4.conf.v0.promote_secondaries=1", "ip -4 addr add 10.0.0.2/24 dev v0",
      "ip -4 addr add 10.7.0.1/24 dev v0", "ip -4 route add 20.0.0.0/8 dev v0",
      "ip -4 addr del 10.0.0.1/24 dev v0"});
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "v0 10.7.0.1");
  EXPECT_EQ(Dial(Udp("10.0.0.9")), "v0 10.0.0.2");
}

TEST_F(Traps, T08_DeprecatedAddressesServeInIpv4Alone) {
  MakeUplinks();
  Do({"ip addr change 10.0.0.1/24 dev v0 preferred_lft 0 valid_lft forever",
      "ip addr add 10.7.0.1/24 dev v0", "ip -4 route add 20.0.0.0/8 dev v0",
      "ip addr change fd00::1/64 dev v0 preferred_lft 0 valid_lft forever",
      "ip addr add fd07::1/64 dev v0 nodad", "ip -6 route add fd20::/32 dev v0"});
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "v0 10.0.0.1");
  EXPECT_EQ(Dial(Udp("fd20::1")), "v0 fd07::1");
}

TEST_F(Traps, T09_DevicesLendInTheOrderOfTheirRegistration) {
  for (const int index : {40, 30, 20}) Do(Veth(index));
  Do({"ip addr add 10.40.0.1/24 dev x40", "ip addr add 10.30.0.1/24 dev x30",
      "ip -4 route add 20.0.0.0/8 dev x20"});
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "x20 10.40.0.1");
  std::vector<std::uint32_t> listed;
  for (const InterfaceAddress &address : state().addresses)
    if (address.local.is_v4() && address.ifindex != 1) listed.push_back(address.ifindex);
  EXPECT_EQ(listed, (std::vector<std::uint32_t>{30, 40}));
  Do({"ip link del x40"});
  Do(Veth(40));
  Do({"ip addr add 10.40.0.1/24 dev x40"});
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "x20 10.30.0.1");
}

}  // namespace
}  // namespace srcsel
