#include <linux/if_addrlabel.h>
#include <linux/rtnetlink.h>

#include <gtest/gtest.h>

#include "netlink/decode_address_label.hh"
#include "netlink_message.hh"

namespace srcsel {
namespace {

ifaddrlblmsg Header(std::uint8_t length) {
  ifaddrlblmsg header{};
  header.ifal_family = AF_INET6;
  header.ifal_prefixlen = length;
  header.ifal_index = 7;
  return header;
}

absl::StatusOr<AddressLabel> Decode(const ifaddrlblmsg &header, const AttributeBytes &attributes) {
  return DecodeAddressLabel(Message(RTM_NEWADDRLABEL, header, attributes).get());
}

TEST(DecodeAddressLabel, ReadsAll) {
  const auto label =
      Decode(Header(16),
             AttributeBytes().PutAddress(IFAL_ADDRESS, "2002::").Put<std::uint32_t>(IFAL_LABEL, 2));
  ASSERT_TRUE(label.ok()) << label.status();
  EXPECT_EQ(*label, (AddressLabel{*Prefix::Parse("2002::/16"), 7, 2}));
}

TEST(DecodeAddressLabel, RefusesWhatIsNone) {
  const AttributeBytes label = AttributeBytes().Put<std::uint32_t>(IFAL_LABEL, 2);
  const AttributeBytes both = AttributeBytes(label).PutAddress(IFAL_ADDRESS, "2002::");
  ifaddrlblmsg v4 = Header(16);
  v4.ifal_family = AF_INET;
  EXPECT_FALSE(Decode(v4, AttributeBytes(label).PutAddress(IFAL_ADDRESS, "10.0.0.0")).ok());
  EXPECT_FALSE(Decode(Header(129), both).ok());
  EXPECT_FALSE(Decode(Header(16), label).ok());
  EXPECT_FALSE(Decode(Header(16), AttributeBytes().PutAddress(IFAL_ADDRESS, "2002::")).ok());
  EXPECT_FALSE(DecodeAddressLabel(Message(RTM_DELADDRLABEL, Header(16), both).get()).ok());
}

}  // namespace
}  // namespace srcsel
