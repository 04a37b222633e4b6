// A listing against what DecodeRoute() and Routes::push_back() make of the same messages.

#include <linux/rtnetlink.h>

#include <random>

#include <gtest/gtest.h>

#include "netlink/decode_route.hh"
#include "netlink/route_listing.hh"
#include "netlink_message.hh"

namespace srcsel {
namespace {

using A = AttributeBytes;

Message RouteTo(int family, const A &attributes, int length, std::uint32_t flags = 0) {
  rtmsg header{};
  header.rtm_family = static_cast<std::uint8_t>(family);
  header.rtm_dst_len = static_cast<std::uint8_t>(length);
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_type = RTN_UNICAST;
  header.rtm_flags = flags;
  return Message(RTM_NEWROUTE, header, attributes);
}

A Dst(const std::string &address) {
  return A().PutAddress(RTA_DST, address.c_str());
}

// Both ways, message by message: each says the same, and the routes are the same in the end.
void ExpectSame(const std::vector<Message> &messages) {
  Routes listed, expected;
  RouteListing listing(listed);
  for (const Message &message : messages) {
    const absl::StatusOr<Route> route = DecodeRoute(message.get());
    EXPECT_EQ(listing.Add(message.get()), route.status());
    if (route.ok() && !(route->flags & RTM_F_CLONED)) expected.push_back(*route);
  }
  ASSERT_EQ(listed.size(), expected.size());
  for (std::size_t i = 0; i < listed.size(); ++i) EXPECT_EQ(listed.At(i), expected.At(i)) << i;
  EXPECT_EQ(listed.terms().size(), expected.terms().size());
}

TEST(RouteListing, KeepsTermsOnceAndOrder) {
  std::vector<Message> messages;
  for (int i = 0; i < 50; ++i) {
    const std::string last = std::to_string(i);
    const A via = A().PutAddress(RTA_GATEWAY, i % 3 ? "10.0.0.254" : "10.0.0.253");
    messages.push_back(RouteTo(AF_INET, Dst("198.51.100." + last).PutAll(via), 24 + i % 9));
    messages.push_back(RouteTo(AF_INET6, Dst("2001:db8::" + last), 32 + i));
    messages.push_back(RouteTo(AF_INET, via, 0));
  }
  ExpectSame(messages);
}

TEST(RouteListing, LeavesOutClones) {
  const A attributes = Dst("198.51.100.1");
  ExpectSame({RouteTo(AF_INET, attributes, 32, RTM_F_CLONED), RouteTo(AF_INET, attributes, 32),
              RouteTo(AF_INET, attributes, 32, RTM_F_CLONED)});
}

TEST(RouteListing, RefusesAfterItsLikeWasGood) {
  Message other = RouteTo(AF_INET, Dst("198.51.100.0"), 24);
  other.get().nlmsg_type = RTM_DELROUTE;
  ExpectSame({RouteTo(AF_INET, Dst("198.51.100.0"), 24), RouteTo(AF_INET, Dst("198.51.101.0"), 33),
              other, RouteTo(AF_INET, A(), 24), RouteTo(AF_INET, Dst("2001:db8::"), 24),
              RouteTo(AF_INET6, Dst("198.51.100.0"), 24)});
}

TEST(RouteListing, LastOfSeveralDestinationsCounts) {
  const auto two = [](const char *first, const char *last) {
    return RouteTo(AF_INET, Dst(first).PutAll(Dst(last)), 24);
  };
  ExpectSame({two("10.1.0.0", "10.2.0.0"), two("10.3.0.0", "10.2.0.0"), two("10.1.0.0", "10.4.0.0"),
              two("2001:db8::", "10.2.0.0"), two("10.1.0.0", "2001:db8::")});
}

TEST(RouteListing, ForgetsKindsButNoRoutes) {
  std::vector<Message> messages;
  for (std::uint32_t i = 0; i < 2 * RouteListing::kMostKinds + 10; ++i)
    messages.push_back(
        RouteTo(AF_INET, Dst("10.0.0.0").Put<std::uint32_t>(RTA_PRIORITY, i / 2), 8));
  ExpectSame(messages);
}

TEST(RouteListing, IsTheSameForDamagedMessages) {
  std::mt19937 random(1);
  std::vector<Message> messages;
  const A attributes = Dst("10.0.0.0")
                           .Put<std::uint32_t>(RTA_TABLE, 1)
                           .PutAddress(RTA_GATEWAY, "10.0.0.254")
                           .Put<std::uint32_t>(RTA_OIF, 2);
  for (int round = 0; round < 20000; ++round) {
    Message message = RouteTo(AF_INET, attributes, 8);
    auto *bytes = reinterpret_cast<std::uint8_t *>(&message.get());
    for (unsigned turns = 1 + random() % 2; turns > 0; --turns)
      bytes[NLMSG_HDRLEN + random() % (message.bytes().size() - NLMSG_HDRLEN)] =
          static_cast<std::uint8_t>(random() % 33);
    messages.push_back(message);
  }
  ExpectSame(messages);
}

}  // namespace
}  // namespace srcsel
