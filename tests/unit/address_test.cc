#include <set>

#include <gmock/gmock.h>

#include "absl/hash/hash_testing.h"
#include "fixtures.hh"
#include <srcsel/address.hh>

namespace srcsel {
namespace {

TEST(IpAddress, IsWrittenAsItIsRead) {
  for (const char *text : {"0.0.0.0", "10.0.0.1", "255.255.255.255", "::", "::1", "fd00::1",
                           "2001:db8:1:2:3:4:5:6", "::ffff:10.0.0.1"})
    EXPECT_EQ(Address(text).ToString(), text);
  EXPECT_EQ(Address("FD00:0::0:1").ToString(), "fd00::1");
}

TEST(IpAddress, RefusesWhatIsNone) {
  for (const char *text : {"", "10.0.0", "10.0.0.256", "10.0.0.1/8", " 10.0.0.1", "10.0.0.1 ",
                           "010.0.0.1", "fd00::1%eth0", "fd00:::1", "localhost", "1"})
    EXPECT_EQ(IpAddress::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  EXPECT_EQ(IpAddress::Parse("nowhere").status().message(),
            "'nowhere' is not an address (10.0.0.1 or fd00::1)");
}

TEST(IpAddress, StopsAtNoZeroByte) {
  const absl::string_view hidden("10.0.0.1\0x", 10);
  EXPECT_FALSE(IpAddress::Parse(hidden).ok());
}

TEST(IpAddress, KnowsItsFamily) {
  const IpAddress v4 = Address("10.0.0.1"), v6 = Address("fd00::1");
  EXPECT_EQ(std::tuple(v4.family(), v4.bits(), v4.size()), std::tuple(AF_INET, 32, 4u));
  EXPECT_EQ(std::tuple(v6.family(), v6.bits(), v6.size()), std::tuple(AF_INET6, 128, 16u));
  EXPECT_TRUE(v4.is_v4());
  EXPECT_FALSE(v6.is_v4());
  EXPECT_EQ(IpAddress(), Address("0.0.0.0"));
  EXPECT_NE(IpAddress::Any(AF_INET), IpAddress::Any(AF_INET6));
}

TEST(IpAddress, TakesFourBytesForIPv4) {
  const std::uint8_t bytes[] = {10, 0, 0, 1, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};
  EXPECT_EQ(IpAddress::FromBytes(AF_INET, bytes), Address("10.0.0.1"));
}

TEST(IpAddress, KnowsItsKind) {
  struct {
    const char *text;
    bool unspecified, loopback, link_local, multicast;
  } const cases[] = {
      {"0.0.0.0", true, false, false, false},     {"::", true, false, false, false},
      {"127.0.0.1", false, true, false, false},   {"127.255.255.255", false, true, false, false},
      {"::1", false, true, false, false},         {"128.0.0.1", false, false, false, false},
      {"::2", false, false, false, false},        {"100::1", false, false, false, false},
      {"169.254.0.1", false, false, true, false}, {"169.253.0.1", false, false, false, false},
      {"fe80::1", false, false, true, false},     {"febf::1", false, false, true, false},
      {"fec0::1", false, false, false, false},    {"224.0.0.1", false, false, false, true},
      {"239.9.9.9", false, false, false, true},   {"240.0.0.1", false, false, false, false},
      {"ff02::1", false, false, false, true},     {"10.0.0.1", false, false, false, false},
  };
  for (const auto &c : cases) {
    const IpAddress a = Address(c.text);
    EXPECT_EQ(a.IsUnspecified(), c.unspecified) << c.text;
    EXPECT_EQ(a.IsLoopback(), c.loopback) << c.text;
    EXPECT_EQ(a.IsLinkLocal(), c.link_local) << c.text;
    EXPECT_EQ(a.IsMulticast(), c.multicast) << c.text;
  }
}

TEST(Prefix, IsWrittenAsItIsRead) {
  for (const char *text : {"0.0.0.0/0", "10.0.0.0/8", "10.0.0.1/24", "::/0", "fd00::1/64"})
    EXPECT_EQ(Net(text).ToString(), text);
  EXPECT_EQ(Net("10.0.0.1").ToString(), "10.0.0.1/32");
  EXPECT_EQ(Net("fd00::1").ToString(), "fd00::1/128");
}

TEST(Prefix, RefusesWhatIsNone) {
  for (const char *text : {"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8",
                           "10.0.0.0/255.0.0.0", "fd00::/129", "/8", "10/8"})
    EXPECT_FALSE(Prefix::Parse(text).ok()) << text;
  EXPECT_EQ(Prefix::Parse("10.0.0.0/33").status().message(),
            "'10.0.0.0/33' has no prefix length from 0 to 32 after the slash");
  EXPECT_EQ(Prefix::Parse("fd00::/129").status().message(),
            "'fd00::/129' has no prefix length from 0 to 128 after the slash");
}

TEST(Prefix, ClearsHostBitsOnlyWhenAsked) {
  EXPECT_NE(Net("10.1.2.3/8"), Net("10.0.0.0/8"));
  struct {
    const char *prefix, *network;
  } const cases[] = {
      {"255.255.255.255/0", "0.0.0.0/0"},
      {"255.255.255.255/1", "128.0.0.0/1"},
      {"10.1.2.3/8", "10.0.0.0/8"},
      {"10.255.255.255/9", "10.128.0.0/9"},
      {"10.1.2.3/31", "10.1.2.2/31"},
      {"10.1.2.3/32", "10.1.2.3/32"},
      {"ffff:ffff:ffff:ffff:ffff::/65", "ffff:ffff:ffff:ffff:8000::/65"},
      {"ffff::ffff/127", "ffff::fffe/127"},
      {"ffff::ffff/128", "ffff::ffff/128"},
      {"ffff::ffff/0", "::/0"},
  };
  for (const auto &c : cases) EXPECT_EQ(Net(c.prefix).Network(), Net(c.network)) << c.prefix;
}

TEST(Prefix, ContainsItsEndsAndNoNeighbour) {
  const Prefix prefix = Net("10.0.64.9/18");
  for (const char *inside : {"10.0.64.0", "10.0.127.255"})
    EXPECT_TRUE(prefix.Contains(Address(inside))) << inside;
  for (const char *outside : {"10.0.63.255", "10.0.128.0", "::", "a00:4000::"})
    EXPECT_FALSE(prefix.Contains(Address(outside))) << outside;
  EXPECT_TRUE(Net("0.0.0.0/0").Contains(Address("255.1.2.3")));
  EXPECT_FALSE(Net("0.0.0.0/0").Contains(Address("::")));
}

TEST(Prefix, HashesAsItCompares) {
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {Net("0.0.0.0/0"), Net("::/0"), Net("10.0.0.0/8"), Net("10.0.0.0/9"), Net("10.0.0.1/8")}));
}

}  // namespace
}  // namespace srcsel
