#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <gtest/gtest.h>

#include "netlink/decode_address.hh"
#include "netlink_message.hh"

namespace srcsel {
namespace {

ifaddrmsg Header(int family, int length) {
  ifaddrmsg header{};
  header.ifa_family = static_cast<std::uint8_t>(family);
  header.ifa_prefixlen = static_cast<std::uint8_t>(length);
  header.ifa_flags = IFA_F_PERMANENT;
  header.ifa_scope = RT_SCOPE_LINK;
  header.ifa_index = 4;
  return header;
}

absl::StatusOr<InterfaceAddress> Decode(const ifaddrmsg &header, const AttributeBytes &attributes) {
  return DecodeAddress(Message(RTM_NEWADDR, header, attributes).get());
}

TEST(DecodeAddress, ReadsHeader) {
  const auto address =
      Decode(Header(AF_INET, 24), AttributeBytes().PutAddress(IFA_LOCAL, "10.0.0.1"));
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(*address,
            (InterfaceAddress{4, *IpAddress::Parse("10.0.0.1"), *Prefix::Parse("10.0.0.1/24"),
                              RT_SCOPE_LINK, IFA_F_PERMANENT}));
}

TEST(DecodeAddress, TellsOwnFromPeer) {
  const auto address = Decode(
      Header(AF_INET, 32),
      AttributeBytes().PutAddress(IFA_ADDRESS, "10.0.0.2").PutAddress(IFA_LOCAL, "10.0.0.1"));
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->local.ToString(), "10.0.0.1");
  EXPECT_EQ(address->subnet.ToString(), "10.0.0.2/32");
}

TEST(DecodeAddress, IPv6HasOnlyTheAddress) {
  const auto address =
      Decode(Header(AF_INET6, 64), AttributeBytes().PutAddress(IFA_ADDRESS, "fd00::1"));
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->local.ToString(), "fd00::1");
  EXPECT_EQ(address->subnet.ToString(), "fd00::1/64");
}

TEST(DecodeAddress, PrefersTheWideFlags) {
  const auto address = Decode(
      Header(AF_INET6, 64),
      AttributeBytes().PutAddress(IFA_ADDRESS, "fd00::1").Put<std::uint32_t>(IFA_FLAGS, 0x380));
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->flags, 0x380u);
}

TEST(DecodeAddress, RefusesWhatIsNoAddress) {
  const AttributeBytes good = AttributeBytes().PutAddress(IFA_LOCAL, "10.0.0.1");
  EXPECT_TRUE(Decode(Header(AF_INET, 32), good).ok());
  EXPECT_FALSE(Decode(Header(AF_INET, 33), good).ok());
  EXPECT_FALSE(Decode(Header(AF_INET6, 32), good).ok());
  EXPECT_FALSE(Decode(Header(AF_UNSPEC, 0), good).ok());
  EXPECT_FALSE(Decode(Header(AF_INET, 0), AttributeBytes()).ok());
  EXPECT_FALSE(DecodeAddress(Message(RTM_DELADDR, Header(AF_INET, 24), good).get()).ok());
}

}  // namespace
}  // namespace srcsel
