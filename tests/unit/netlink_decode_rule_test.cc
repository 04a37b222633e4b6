#include <endian.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <gtest/gtest.h>

#include "netlink/decode_rule.hh"
#include "netlink_message.hh"

namespace srcsel {
namespace {

fib_rule_hdr Header(int family) {
  fib_rule_hdr header{};
  header.family = static_cast<std::uint8_t>(family);
  header.action = FR_ACT_TO_TBL;
  return header;
}

Rule Expected(int family) {
  Rule rule;
  rule.family = family;
  rule.from = rule.to = Prefix::Default(family);
  return rule;
}

absl::StatusOr<Rule> Decode(const fib_rule_hdr &header, const AttributeBytes &attributes) {
  return DecodeRule(Message(RTM_NEWRULE, header, attributes).get());
}

// One attribute, and what it must set in a rule that is empty otherwise.
template <typename Change>
void ExpectSets(const AttributeBytes &attributes, Change change, int family = AF_INET) {
  const auto rule = Decode(Header(family), attributes);
  ASSERT_TRUE(rule.ok()) << rule.status();
  Rule expected = Expected(family);
  EXPECT_TRUE(attributes.bytes().empty() || *rule != expected);
  change(expected);
  EXPECT_EQ(*rule, expected);
}

TEST(DecodeRule, ReadsHeader) {
  fib_rule_hdr header = Header(AF_INET6);
  header.tos = 0x10;
  header.table = RT_TABLE_MAIN;
  header.action = FR_ACT_PROHIBIT;
  header.flags = FIB_RULE_INVERT | FIB_RULE_IIF_DETACHED;
  const auto rule = Decode(header, {});
  ASSERT_TRUE(rule.ok()) << rule.status();
  Rule expected = Expected(AF_INET6);
  expected.tos = 0x10;
  expected.table = RT_TABLE_MAIN;
  expected.action = FR_ACT_PROHIBIT;
  expected.flags = FIB_RULE_INVERT | FIB_RULE_IIF_DETACHED;
  EXPECT_EQ(*rule, expected);
}

TEST(DecodeRule, ReadsPrefixesOfBothFamilies) {
  fib_rule_hdr header = Header(AF_INET);
  header.src_len = 8;
  header.dst_len = 24;
  const auto v4 = Decode(
      header, AttributeBytes().PutAddress(FRA_SRC, "10.0.0.0").PutAddress(FRA_DST, "203.0.113.0"));
  ASSERT_TRUE(v4.ok()) << v4.status();
  EXPECT_EQ(v4->from.ToString(), "10.0.0.0/8");
  EXPECT_EQ(v4->to.ToString(), "203.0.113.0/24");

  header.family = AF_INET6;
  const auto v6 = Decode(
      header, AttributeBytes().PutAddress(FRA_SRC, "fd00::").PutAddress(FRA_DST, "2001:db8::"));
  ASSERT_TRUE(v6.ok()) << v6.status();
  EXPECT_EQ(v6->from.ToString(), "fd00::/8");
  EXPECT_EQ(v6->to.ToString(), "2001:db8::/24");
}

TEST(DecodeRule, ReadsEachSelector) {
  using A = AttributeBytes;
  const auto none = [](Rule &) {};
  ExpectSets(A(), none);
  ExpectSets(A().PutText(FRA_IIFNAME, "lo"), [](Rule &r) { r.iif = "lo"; });
  ExpectSets(A().PutText(FRA_OIFNAME, "fifteen-letters"),
             [](Rule &r) { r.oif = "fifteen-letters"; });
  ExpectSets(A().Put<std::uint32_t>(FRA_FWMARK, 0x64).Put<std::uint32_t>(FRA_FWMASK, 0xff),
             [](Rule &r) { r.mark = 0x64, r.mark_mask = 0xff; });
  ExpectSets(A().Put<std::uint32_t>(FRA_FWMARK, 5),
             [](Rule &r) { r.mark = 5, r.mark_mask = 0xffffffff; });
  ExpectSets(A().Put<std::uint32_t>(FRA_FWMASK, 0xf), [](Rule &r) { r.mark_mask = 0xf; });
  ExpectSets(A().Put(FRA_UID_RANGE, fib_rule_uid_range{1000, 1999}), [](Rule &r) {
    r.uids = Range32{1000, 1999};
  });
  ExpectSets(A().Put<std::uint8_t>(FRA_IP_PROTO, 6), [](Rule &r) { r.proto = 6; });
  ExpectSets(A().Put(FRA_SPORT_RANGE, fib_rule_port_range{1, 2}), [](Rule &r) {
    r.sports = Range16{1, 2};
  });
  ExpectSets(A().Put(FRA_DPORT_RANGE, fib_rule_port_range{443, 65535}), [](Rule &r) {
    r.dports = Range16{443, 65535};
  });
  ExpectSets(A().Put<std::uint16_t>(28, 0xff00), [](Rule &r) { r.sport_mask = 0xff00; });
  ExpectSets(A().Put<std::uint16_t>(29, 0x00ff), [](Rule &r) { r.dport_mask = 0x00ff; });
  ExpectSets(A().Put<std::uint8_t>(25, 0), [](Rule &r) { r.dscp = 0; });
  ExpectSets(A().Put<std::uint8_t>(30, 0x38), [](Rule &r) { r.dscp_mask = 0x38; });
  ExpectSets(A().Put<std::uint64_t>(FRA_TUN_ID, htobe64(77)), [](Rule &r) { r.tun_id = 77; });
  ExpectSets(A().Put<std::uint8_t>(FRA_L3MDEV, 1), [](Rule &r) { r.l3mdev = true; });
  ExpectSets(
      A().Put<std::uint32_t>(26, htonl(0x12345)).Put<std::uint32_t>(27, htonl(0xfff00)),
      [](Rule &r) { r.flow_label = 0x12345, r.flow_label_mask = 0xfff00; }, AF_INET6);
}

TEST(DecodeRule, DropsMasksThatSayNothing) {
  using A = AttributeBytes;
  ExpectSets(A().Put(FRA_SPORT_RANGE, fib_rule_port_range{53, 53}).Put<std::uint16_t>(28, 0xffff),
             [](Rule &r) {
               r.sports = Range16{53, 53};
             });
  ExpectSets(A().Put(FRA_DPORT_RANGE, fib_rule_port_range{53, 53}).Put<std::uint16_t>(29, 0xffff),
             [](Rule &r) {
               r.dports = Range16{53, 53};
             });
  ExpectSets(A().Put(FRA_DPORT_RANGE, fib_rule_port_range{1, 9}).Put<std::uint16_t>(29, 0),
             [](Rule &r) {
               r.dports = Range16{1, 9};
             });
  ExpectSets(A().Put<std::uint8_t>(25, 1).Put<std::uint8_t>(30, 0x3f), [](Rule &r) { r.dscp = 1; });
  ExpectSets(
      A().Put<std::uint32_t>(26, htonl(1)).Put<std::uint32_t>(27, htonl(0xfffff)),
      [](Rule &r) { r.flow_label = 1; }, AF_INET6);
}

TEST(DecodeRule, ReadsEachOther) {
  using A = AttributeBytes;
  ExpectSets(A().Put<std::uint32_t>(FRA_PRIORITY, 32766), [](Rule &r) { r.pref = 32766; });
  ExpectSets(A().Put<std::uint32_t>(FRA_TABLE, 100000), [](Rule &r) { r.table = 100000; });
  ExpectSets(A().Put<std::uint32_t>(FRA_GOTO, 200), [](Rule &r) { r.goto_pref = 200; });
  ExpectSets(A().Put<std::uint32_t>(FRA_SUPPRESS_PREFIXLEN, 0),
             [](Rule &r) { r.suppress_plen = 0; });
  ExpectSets(A().Put<std::uint32_t>(FRA_SUPPRESS_IFGROUP, 0),
             [](Rule &r) { r.suppress_group = 0; });
  ExpectSets(A().Put<std::uint8_t>(FRA_PROTOCOL, RTPROT_BOOT),
             [](Rule &r) { r.protocol = RTPROT_BOOT; });
  ExpectSets(A().Put<std::uint32_t>(FRA_FLOW, 9), [](Rule &r) { r.realm = 9; });
}

TEST(DecodeRule, IgnoresWhatItDoesNotKnow) {
  const auto rule = Decode(
      Header(AF_INET), AttributeBytes().Put<std::uint64_t>(31, ~0ull).Put<std::uint8_t>(200, 1));
  ASSERT_TRUE(rule.ok()) << rule.status();
  EXPECT_EQ(*rule, Expected(AF_INET));
}

TEST(DecodeRule, RefusesOtherFamiliesAndTypes) {
  EXPECT_FALSE(Decode(Header(128), {}).ok());  // RTNL_FAMILY_IPMR
  EXPECT_FALSE(Decode(Header(AF_UNSPEC), {}).ok());
  EXPECT_FALSE(DecodeRule(Message(RTM_DELRULE, Header(AF_INET), {}).get()).ok());
}

TEST(DecodeRule, RefusesShortAttributes) {
  constexpr int kWide[] = {FRA_GOTO,
                           FRA_PRIORITY,
                           FRA_FWMARK,
                           FRA_FWMASK,
                           FRA_FLOW,
                           FRA_TUN_ID,
                           FRA_TABLE,
                           FRA_SUPPRESS_IFGROUP,
                           FRA_SUPPRESS_PREFIXLEN,
                           FRA_UID_RANGE,
                           FRA_SPORT_RANGE,
                           FRA_DPORT_RANGE,
                           26,
                           27};
  constexpr int kNarrow[] = {FRA_L3MDEV, FRA_PROTOCOL, FRA_IP_PROTO, FRA_IIFNAME, FRA_OIFNAME,
                             25,         28,           29,           30};
  for (int type : kWide)
    EXPECT_FALSE(Decode(Header(AF_INET), AttributeBytes().PutBytes(type, "\1\1\1", 3)).ok())
        << type;
  for (int type : kNarrow)
    EXPECT_FALSE(Decode(Header(AF_INET), AttributeBytes().PutBytes(type, "", 0)).ok()) << type;
}

TEST(DecodeRule, RefusesPrefixesThatContradictTheHeader) {
  fib_rule_hdr header = Header(AF_INET);
  header.src_len = 33;
  const AttributeBytes source = AttributeBytes().PutAddress(FRA_SRC, "10.0.0.0");
  EXPECT_FALSE(Decode(header, source).ok());
  header.src_len = 8;
  EXPECT_TRUE(Decode(header, source).ok());
  EXPECT_FALSE(Decode(header, {}).ok());
  EXPECT_FALSE(Decode(header, AttributeBytes().PutAddress(FRA_SRC, "fd00::")).ok());
}

TEST(DecodeRule, NamesWhatIsWrong) {
  const auto rule = Decode(Header(AF_INET), AttributeBytes().Put<std::uint16_t>(FRA_TABLE, 100));
  EXPECT_EQ(rule.status().message(), "decode rule: attribute 15 has 2 bytes");
}

}  // namespace
}  // namespace srcsel
