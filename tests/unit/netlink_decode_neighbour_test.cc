#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <gtest/gtest.h>

#include "netlink/decode_neighbour.hh"
#include "netlink_message.hh"

namespace srcsel {
namespace {

ndmsg Header(int family) {
  ndmsg header{};
  header.ndm_family = static_cast<std::uint8_t>(family);
  header.ndm_ifindex = 7;
  header.ndm_state = NUD_STALE;
  return header;
}

absl::StatusOr<Neighbour> Decode(int family, const AttributeBytes &attributes,
                                 int type = RTM_NEWNEIGH) {
  return DecodeNeighbour(Message(type, Header(family), attributes).get());
}

AttributeBytes At(const char *address) {
  return AttributeBytes().PutAddress(NDA_DST, address).Put<std::uint64_t>(NDA_LLADDR, 0);
}

TEST(DecodeNeighbour, ReadsBothFamilies) {
  for (const int type : {RTM_NEWNEIGH, RTM_DELNEIGH}) {
    const auto v4 = Decode(AF_INET, At("10.0.0.254"), type);
    ASSERT_TRUE(v4.ok()) << v4.status();
    EXPECT_EQ(*v4, (Neighbour{7, *IpAddress::Parse("10.0.0.254"), NUD_STALE}));
    const auto v6 = Decode(AF_INET6, At("fe80::1"), type);
    ASSERT_TRUE(v6.ok()) << v6.status();
    EXPECT_EQ(*v6, (Neighbour{7, *IpAddress::Parse("fe80::1"), NUD_STALE}));
  }
}

TEST(DecodeNeighbour, RefusesWhatIsNone) {
  EXPECT_FALSE(Decode(AF_INET, AttributeBytes()).ok());
  EXPECT_FALSE(Decode(AF_INET, At("fe80::1")).ok());
  EXPECT_FALSE(Decode(AF_BRIDGE, At("10.0.0.254")).ok());
  EXPECT_FALSE(Decode(AF_INET, At("10.0.0.254"), RTM_GETNEIGH).ok());
}

}  // namespace
}  // namespace srcsel
