#include <linux/rtnetlink.h>

#include <gtest/gtest.h>

#include "netlink/decode_route.hh"
#include "netlink_message.hh"

namespace srcsel {
namespace {

constexpr int kNexthopId = 30;  // RTA_NH_ID

rtmsg Header(int family) {
  rtmsg header{};
  header.rtm_family = static_cast<std::uint8_t>(family);
  return header;
}

Route Expected(int family) {
  Route route;
  route.dst = route.src = Prefix::Default(family);
  route.nexthops.resize(1);
  return route;
}

absl::StatusOr<Route> Decode(const rtmsg &header, const AttributeBytes &attributes) {
  return DecodeRoute(Message(RTM_NEWROUTE, header, attributes).get());
}

absl::StatusOr<Route> Decode(const AttributeBytes &attributes) {
  return Decode(Header(AF_INET), attributes);
}

AttributeBytes Via(std::uint16_t family, const IpAddress &address) {
  Bytes via(2);
  std::memcpy(via.data(), &family, 2);
  via.insert(via.end(), address.bytes().begin(), address.bytes().begin() + address.size());
  return AttributeBytes().PutBytes(RTA_VIA, via.data(), via.size());
}

AttributeBytes Hop(int ifindex, int hops, int flags, const AttributeBytes &inner) {
  rtnexthop header{};
  header.rtnh_len = static_cast<std::uint16_t>(sizeof(header) + inner.bytes().size());
  header.rtnh_flags = static_cast<std::uint8_t>(flags);
  header.rtnh_hops = static_cast<std::uint8_t>(hops);
  header.rtnh_ifindex = ifindex;
  return AttributeBytes().PutRaw(header).PutAll(inner);
}

template <typename Change>
void ExpectSets(const AttributeBytes &attributes, Change change) {
  const auto route = Decode(attributes);
  ASSERT_TRUE(route.ok()) << route.status();
  Route expected = Expected(AF_INET);
  EXPECT_NE(*route, expected);
  change(expected);
  EXPECT_EQ(*route, expected);
}

TEST(DecodeRoute, ReadsHeader) {
  rtmsg header = Header(AF_INET);
  header.rtm_tos = 8;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = RT_SCOPE_LINK;
  header.rtm_type = RTN_UNICAST;
  header.rtm_flags = RTM_F_CLONED | RTNH_F_LINKDOWN | RTNH_F_DEAD;
  const auto route = Decode(header, {});
  ASSERT_TRUE(route.ok()) << route.status();
  Route expected = Expected(AF_INET);
  expected.tos = 8;
  expected.table = RT_TABLE_MAIN;
  expected.protocol = RTPROT_STATIC;
  expected.scope = RT_SCOPE_LINK;
  expected.type = RTN_UNICAST;
  expected.flags = header.rtm_flags;
  expected.nexthops[0].flags = RTNH_F_LINKDOWN | RTNH_F_DEAD;
  EXPECT_EQ(*route, expected);
}

TEST(DecodeRoute, ReadsPrefixes) {
  rtmsg header = Header(AF_INET6);
  header.rtm_dst_len = 32;
  header.rtm_src_len = 48;
  const auto route = Decode(
      header, AttributeBytes().PutAddress(RTA_DST, "2001:db8::").PutAddress(RTA_SRC, "fd00::"));
  ASSERT_TRUE(route.ok()) << route.status();
  EXPECT_EQ(route->dst.ToString(), "2001:db8::/32");
  EXPECT_EQ(route->src.ToString(), "fd00::/48");
}

TEST(DecodeRoute, ReadsEachAttribute) {
  using A = AttributeBytes;
  ExpectSets(A().Put<std::uint32_t>(RTA_TABLE, 1000), [](Route &r) { r.table = 1000; });
  ExpectSets(A().Put<std::uint32_t>(RTA_PRIORITY, 20), [](Route &r) { r.metric = 20; });
  ExpectSets(A().PutAddress(RTA_PREFSRC, "10.0.0.1"),
             [](Route &r) { r.prefsrc = *IpAddress::Parse("10.0.0.1"); });
  ExpectSets(A().Put<std::uint32_t>(kNexthopId, 5), [](Route &r) { r.nexthop_id = 5; });
  ExpectSets(A().Put<std::uint8_t>(RTA_PREF, 3), [](Route &r) { r.pref = 3; });
  ExpectSets(A().PutNested(RTA_METRICS, A().Put<std::uint32_t>(RTAX_MTU, 1400)),
             [](Route &r) { r.mtu = 1400; });
  ExpectSets(A().Put<std::uint32_t>(RTA_OIF, 4), [](Route &r) { r.nexthops[0].oif = 4; });
  ExpectSets(A().PutAddress(RTA_GATEWAY, "10.0.0.254"),
             [](Route &r) { r.nexthops[0].gateway = *IpAddress::Parse("10.0.0.254"); });
  ExpectSets(A().Put<std::uint16_t>(RTA_ENCAP_TYPE, 1),
             [](Route &r) { r.nexthops[0].encap = true; });
  const IpAddress other = *IpAddress::Parse("fe80::1");
  ExpectSets(Via(AF_INET6, other), [&](Route &r) { r.nexthops[0].gateway = other; });
}

TEST(DecodeRoute, ExpiryOfZeroIsNone) {
  const auto expires = [](std::int32_t ticks) {
    rta_cacheinfo cache{};
    cache.rta_expires = ticks;
    return Decode(AttributeBytes().Put(RTA_CACHEINFO, cache))->expires;
  };
  EXPECT_EQ(expires(0), std::nullopt);
  EXPECT_EQ(expires(250), 250);
  EXPECT_EQ(expires(-101), -101);
}

TEST(DecodeRoute, ReadsSeveralNexthops) {
  AttributeBytes hops;
  hops.PutAll(Hop(2, 0, RTNH_F_ONLINK, AttributeBytes().PutAddress(RTA_GATEWAY, "10.0.0.254")))
      .PutAll(Hop(3, 255, RTNH_F_DEAD, Via(AF_INET6, *IpAddress::Parse("fe80::1"))))
      .PutAll(Hop(4, 9, 0, AttributeBytes().Put<std::uint16_t>(RTA_ENCAP_TYPE, 1)));
  const auto route = Decode(AttributeBytes().PutNested(RTA_MULTIPATH, hops));
  ASSERT_TRUE(route.ok()) << route.status();
  ASSERT_EQ(route->nexthops.size(), 3u);
  EXPECT_EQ(route->nexthops[0],
            (Nexthop{2, IpAddress::Parse("10.0.0.254").value(), 1, RTNH_F_ONLINK, false}));
  EXPECT_EQ(route->nexthops[1],
            (Nexthop{3, IpAddress::Parse("fe80::1").value(), 256, RTNH_F_DEAD, false}));
  EXPECT_EQ(route->nexthops[2], (Nexthop{4, std::nullopt, 10, 0, true}));
}

TEST(DecodeRoute, RefusesBrokenNexthops) {
  const auto multipath = [](const Bytes &bytes) {
    return Decode(AttributeBytes().PutBytes(RTA_MULTIPATH, bytes.data(), bytes.size()));
  };
  const Bytes whole = Hop(2, 0, 0, AttributeBytes().PutAddress(RTA_GATEWAY, "10.0.0.254")).bytes();
  ASSERT_TRUE(multipath(whole).ok());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(multipath(Bytes(whole.begin(), whole.begin() + size)).ok()) << size;
  for (int length : {0, 7, 9, 15, 17, 0xffff}) {
    Bytes lying = whole;
    lying[0] = static_cast<std::uint8_t>(length);
    lying[1] = static_cast<std::uint8_t>(length >> 8);
    EXPECT_FALSE(multipath(lying).ok()) << length;
  }
}

TEST(DecodeRoute, RefusesWrongSizes) {
  for (int type :
       {int{RTA_TABLE}, int{RTA_PRIORITY}, int{RTA_PREFSRC}, int{RTA_OIF}, int{RTA_GATEWAY},
        kNexthopId, int{RTA_CACHEINFO}, int{RTA_DST}, int{RTA_SRC}, int{RTA_METRICS}, int{RTA_VIA}})
    EXPECT_FALSE(Decode(AttributeBytes().PutBytes(type, "\1\1\1", 3)).ok()) << type;
  EXPECT_FALSE(Decode(AttributeBytes().PutBytes(RTA_PREF, "", 0)).ok());
  EXPECT_FALSE(Decode(AttributeBytes().PutAddress(RTA_GATEWAY, "fe80::1")).ok());
  EXPECT_FALSE(Decode(Via(AF_INET, *IpAddress::Parse("fe80::1"))).ok());
  EXPECT_FALSE(Decode(Via(77, *IpAddress::Parse("fe80::1"))).ok());
  EXPECT_FALSE(Decode(Header(AF_UNSPEC), {}).ok());
  EXPECT_FALSE(DecodeRoute(Message(RTM_DELROUTE, Header(AF_INET), {}).get()).ok());
}

}  // namespace
}  // namespace srcsel
