#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <gtest/gtest.h>

#include "netlink/decode_link.hh"
#include "netlink_message.hh"

namespace srcsel {
namespace {

ifinfomsg Header() {
  ifinfomsg header{};
  header.ifi_index = 7;
  header.ifi_flags = 0x10043;
  return header;
}

// IFLA_AF_SPEC with these numbers of settings, all zero but the given one.
AttributeBytes Settings(int family, int type, std::size_t count, std::size_t index,
                        std::int32_t value = 1) {
  std::vector<std::int32_t> values(count);
  if (index < count) values[index] = value;
  AttributeBytes settings, families, all;
  settings.PutBytes(type, values.data(), values.size() * 4);
  families.PutNested(family, settings);
  return all.PutText(IFLA_IFNAME, "eth0").PutNested(IFLA_AF_SPEC | NLA_F_NESTED, families);
}

absl::StatusOr<Link> Decode(const AttributeBytes &attributes) {
  return DecodeLink(Message(RTM_NEWLINK, Header(), attributes).get());
}

TEST(DecodeLink, ReadsHeaderAndAttributes) {
  const auto link = Decode(AttributeBytes()
                               .PutText(IFLA_IFNAME, "eth0")
                               .Put<std::uint32_t>(IFLA_GROUP, 12)
                               .Put<std::uint32_t>(IFLA_MASTER, 3)
                               .Put<std::uint32_t>(IFLA_MTU, 1500)
                               .Put<std::uint32_t>(99, 1));
  ASSERT_TRUE(link.ok()) << link.status();
  Link expected;
  expected.index = 7;
  expected.name = "eth0";
  expected.flags = 0x10043;
  expected.group = 12;
  expected.master = 3;
  EXPECT_EQ(*link, expected);
}

TEST(DecodeLink, ReadsSettingsOfBothFamiliesByIndex) {
  EXPECT_TRUE(Decode(Settings(AF_INET, IFLA_INET_CONF, 33, 25))->route_localnet);
  EXPECT_FALSE(Decode(Settings(AF_INET, IFLA_INET_CONF, 33, 24))->route_localnet);
  EXPECT_TRUE(Decode(Settings(AF_INET, IFLA_INET_CONF, 33, 28))->ignore_linkdown[0]);
  EXPECT_FALSE(Decode(Settings(AF_INET, IFLA_INET_CONF, 33, 29))->ignore_linkdown[0]);
  EXPECT_TRUE(Decode(Settings(AF_INET6, IFLA_INET6_CONF, 60, 39))->ignore_linkdown[1]);
  EXPECT_FALSE(Decode(Settings(AF_INET6, IFLA_INET6_CONF, 60, 38))->ignore_linkdown[1]);
}

TEST(DecodeLink, ReadsSettingsOfIPv6Sources) {
  const auto v6 = [](std::size_t index, std::int32_t value = 1) {
    return *Decode(Settings(AF_INET6, IFLA_INET6_CONF, 60, index, value));
  };
  const Link none = v6(0);
  for (const std::int32_t value : {2, 1, -1}) {
    Link expected = none;
    expected.use_tempaddr = value;
    EXPECT_EQ(v6(10, value), expected);
  }
  const std::pair<std::size_t, bool Link::*> switches[] = {
      {23, &Link::optimistic_dad}, {34, &Link::use_optimistic}, {37, &Link::use_oif_addrs_only}};
  for (const auto &[index, field] : switches) {
    Link expected = none;
    expected.*field = true;
    EXPECT_EQ(v6(index), expected) << index;
    EXPECT_EQ(*Decode(Settings(AF_INET6, IFLA_INET6_CONF, index, index - 1)), none) << index;
  }
}

TEST(DecodeLink, TellsVrfByItsKind) {
  const auto of_kind = [](const void *kind, std::size_t size) {
    const AttributeBytes info = AttributeBytes().PutBytes(IFLA_INFO_KIND, kind, size);
    return Decode(AttributeBytes().PutText(IFLA_IFNAME, "eth0").PutNested(IFLA_LINKINFO, info));
  };
  EXPECT_TRUE(of_kind("vrf", 4)->vrf);
  EXPECT_TRUE(of_kind("vrf", 3)->vrf);
  EXPECT_FALSE(of_kind("vrf1", 5)->vrf);
  EXPECT_FALSE(of_kind("vr", 3)->vrf);
  EXPECT_FALSE(of_kind("vrf_slave", 10)->vrf);
  EXPECT_FALSE(of_kind("", 0)->vrf);
  EXPECT_FALSE(Decode(AttributeBytes().PutText(IFLA_IFNAME, "vrf"))->vrf);
}

TEST(DecodeLink, SettingsThatAnOlderKernelLacksAreOff) {
  const auto link = Decode(Settings(AF_INET, IFLA_INET_CONF, 25, 24));
  ASSERT_TRUE(link.ok()) << link.status();
  EXPECT_FALSE(link->route_localnet);
}

TEST(DecodeLink, RefusesWhatIsNoLink) {
  EXPECT_FALSE(Decode(AttributeBytes()).ok());
  EXPECT_FALSE(Decode(AttributeBytes().PutText(IFLA_IFNAME, "")).ok());
  EXPECT_FALSE(Decode(AttributeBytes().PutText(IFLA_IFNAME, "sixteen-letters!")).ok());
  EXPECT_FALSE(Decode(AttributeBytes().PutBytes(IFLA_IFNAME, "eth0", 4)).ok());
  EXPECT_FALSE(
      Decode(AttributeBytes().PutText(IFLA_IFNAME, "a").Put<std::uint16_t>(IFLA_GROUP, 1)).ok());

  const AttributeBytes name = AttributeBytes().PutText(IFLA_IFNAME, "eth0");
  EXPECT_FALSE(DecodeLink(Message(RTM_DELLINK, Header(), name).get()).ok());
  EXPECT_FALSE(DecodeLink(Message(RTM_NEWLINK, ifinfomsg{}, name).get()).ok());
}

}  // namespace
}  // namespace srcsel
