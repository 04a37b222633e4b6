#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include <gtest/gtest.h>

#include "netlink/decode_nexthop_object.hh"
#include "netlink_message.hh"

namespace srcsel {
namespace {

using A = AttributeBytes;

nhmsg Header(int family) {
  nhmsg header{};
  header.nh_family = static_cast<std::uint8_t>(family);
  return header;
}

A WithId(std::uint32_t id) {
  return A().Put<std::uint32_t>(NHA_ID, id);
}

absl::StatusOr<NexthopObject> Decode(const nhmsg &header, const A &attributes) {
  return DecodeNexthopObject(Message(RTM_NEWNEXTHOP, header, attributes).get());
}

// Attributes beside the id, and what they must set in an object that is empty otherwise.
template <typename Change>
void ExpectSets(int family, const A &attributes, Change change) {
  const auto object = Decode(Header(family), WithId(7).PutAll(attributes));
  ASSERT_TRUE(object.ok()) << object.status();
  NexthopObject expected;
  expected.id = 7;
  expected.family = family;
  change(expected);
  EXPECT_EQ(*object, expected);
}

TEST(DecodeNexthopObject, ReadsHeader) {
  nhmsg header = Header(AF_INET6);
  header.nh_scope = RT_SCOPE_LINK;
  header.nh_flags = RTNH_F_ONLINK;
  const auto object = Decode(header, WithId(0xffffffff));
  ASSERT_TRUE(object.ok()) << object.status();
  NexthopObject expected;
  expected.id = 0xffffffff;
  expected.family = AF_INET6;
  expected.scope = RT_SCOPE_LINK;
  expected.flags = RTNH_F_ONLINK;
  EXPECT_EQ(*object, expected);
}

TEST(DecodeNexthopObject, ReadsEachAttribute) {
  ExpectSets(AF_INET, A(), [](NexthopObject &) {});
  ExpectSets(AF_INET, A().Put<std::uint32_t>(NHA_OIF, 3), [](NexthopObject &o) { o.oif = 3; });
  ExpectSets(AF_INET, A().PutAddress(NHA_GATEWAY, "10.0.0.254"),
             [](NexthopObject &o) { o.gateway = *IpAddress::Parse("10.0.0.254"); });
  ExpectSets(AF_INET6, A().PutAddress(NHA_GATEWAY, "fe80::1"),
             [](NexthopObject &o) { o.gateway = *IpAddress::Parse("fe80::1"); });
  ExpectSets(AF_INET, A().PutBytes(NHA_BLACKHOLE, nullptr, 0),
             [](NexthopObject &o) { o.blackhole = true; });
  ExpectSets(AF_INET, A().PutBytes(NHA_FDB, nullptr, 0), [](NexthopObject &o) { o.fdb = true; });
  ExpectSets(AF_INET, A().Put<std::uint16_t>(NHA_ENCAP_TYPE, 1),
             [](NexthopObject &o) { o.encap = true; });
}

TEST(DecodeNexthopObject, ReadsGroupsWithWeightsOf16Bits) {
  const nexthop_grp group[] = {{3, 0, 0, 0}, {4, 255, 0, 0}, {5, 0, 1, 0}, {6, 255, 255, 0}};
  ExpectSets(AF_UNSPEC, A().PutBytes(NHA_GROUP, group, sizeof(group)), [](NexthopObject &o) {
    o.group = {{3, 1}, {4, 256}, {5, 257}, {6, 65536}};
  });
}

TEST(DecodeNexthopObject, TellsResilientGroups) {
  const nexthop_grp member = {3, 0, 0, 0};
  const A group = A().PutBytes(NHA_GROUP, &member, sizeof(member));
  ExpectSets(AF_UNSPEC,
             A(group)
                 .Put<std::uint16_t>(NHA_GROUP_TYPE, NEXTHOP_GRP_TYPE_RES)
                 .PutNested(NHA_RES_GROUP, A().Put<std::uint16_t>(NHA_RES_GROUP_BUCKETS, 4)),
             [](NexthopObject &o) {
               o.group = {{3, 1}};
               o.resilient = true;
               o.buckets = {0, 0, 0, 0};
             });
  ExpectSets(AF_UNSPEC, A(group).Put<std::uint16_t>(NHA_GROUP_TYPE, NEXTHOP_GRP_TYPE_MPATH),
             [](NexthopObject &o) {
               o.group = {{3, 1}};
             });
}

TEST(DecodeNexthopObject, RefusesWhatIsNone) {
  const nexthop_grp group[] = {{3, 0, 0, 0}, {4, 0, 0, 0}};
  EXPECT_FALSE(Decode(Header(AF_INET), A()).ok());
  EXPECT_FALSE(Decode(Header(AF_INET), WithId(0)).ok());
  EXPECT_FALSE(Decode(Header(AF_INET), WithId(1).PutAddress(NHA_GATEWAY, "fe80::1")).ok());
  EXPECT_FALSE(Decode(Header(AF_INET6), WithId(1).PutAddress(NHA_GATEWAY, "10.0.0.1")).ok());
  EXPECT_FALSE(Decode(Header(AF_UNSPEC), WithId(1).PutAddress(NHA_GATEWAY, "fe80::1")).ok());
  EXPECT_FALSE(Decode(Header(AF_UNSPEC), WithId(1).PutBytes(NHA_GROUP, group, 12)).ok());
  EXPECT_FALSE(DecodeNexthopObject(Message(RTM_DELNEXTHOP, Header(AF_INET), WithId(1)).get()).ok());
}

absl::StatusOr<NexthopBucket> DecodeBucket(const A &attributes) {
  return DecodeNexthopBucket(Message(RTM_NEWNEXTHOPBUCKET, nhmsg{}, attributes).get());
}

TEST(DecodeNexthopBucket, ReadsWhoseItIs) {
  const A inner =
      A().Put<std::uint16_t>(NHA_RES_BUCKET_INDEX, 5).Put<std::uint32_t>(NHA_RES_BUCKET_NH_ID, 3);
  const auto bucket = DecodeBucket(WithId(9).PutNested(NHA_RES_BUCKET, inner));
  ASSERT_TRUE(bucket.ok()) << bucket.status();
  EXPECT_EQ(*bucket, (NexthopBucket{9, 5, 3}));
}

TEST(DecodeNexthopBucket, RefusesWhatIsNone) {
  const A index = A().Put<std::uint16_t>(NHA_RES_BUCKET_INDEX, 5);
  EXPECT_FALSE(DecodeBucket(WithId(9)).ok());
  EXPECT_FALSE(DecodeBucket(A().PutNested(NHA_RES_BUCKET, index)).ok());
  EXPECT_FALSE(
      DecodeNexthopBucket(
          Message(RTM_NEWNEXTHOP, nhmsg{}, WithId(9).PutNested(NHA_RES_BUCKET, index)).get())
          .ok());
}

}  // namespace
}  // namespace srcsel
