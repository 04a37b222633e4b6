// The first ways of flows: of each destination, what Select() says of it alone.

#include "agent/routed_ways.hh"

#include <linux/if.h>

#include <algorithm>
#include <random>

#include <gmock/gmock.h>

#include "fixtures.hh"
#include "lookup/select.hh"
#include "netfilter/numbers.hh"

namespace srcsel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Rule Marked(std::uint32_t pref, std::uint32_t mark, std::uint32_t mask, std::uint32_t table,
            int family) {
  Rule rule = Lookup(pref, table, family);
  rule.mark = mark;
  rule.mark_mask = mask;
  return rule;
}

// eth0 has the default of main, eth1 that of table 100, for mark 1 of the lowest two bits.
State Host() {
  State state = StateOf(
      {On(2, "10.0.0.1/24"), On(3, "10.1.0.1/24"), On(2, "2001:db8::1/64"), On(3, "fd00:1::1/64")},
      {RouteTo("0.0.0.0/0", RT_TABLE_MAIN, 2), RouteTo("10.1.0.0/24", RT_TABLE_MAIN, 3),
       RouteTo("198.51.100.0/25", RT_TABLE_MAIN, 3, "10.1.0.1"),
       NoRouteTo("203.0.113.0/24", RT_TABLE_MAIN, RTN_UNREACHABLE), RouteTo("0.0.0.0/0", 100, 3),
       RouteTo("::/0", RT_TABLE_MAIN, 2), RouteTo("2001:db8:7::/48", RT_TABLE_MAIN, 3),
       RouteTo("::/0", 100, 3)});
  for (Link &link : state.links) link.flags = IFF_UP | IFF_LOWER_UP;
  state.links[0].flags |= IFF_LOOPBACK;
  state.device_order = {1, 2, 3};
  for (int family : {AF_INET, AF_INET6})
    state.rules.insert(state.rules.begin(), Marked(100, 1, 3, 100, family));
  return state;
}

const NfWays::Part *PartOf(const NfWays &ways, const IpAddress &destination) {
  const auto part = std::ranges::find_if(
      ways.parts, [&](const NfWays::Part &one) { return Contains(*one.to, destination); });
  return part == ways.parts.end() ? nullptr : &*part;
}

std::string WayTo(RoutedWays &ways, const char *destination, std::uint32_t mark,
                  std::optional<std::uint32_t> bound_by = std::nullopt) {
  const IpAddress to = Address(destination);
  const auto all = ways.Of(to.family(), mark, bound_by);
  if (all == nullptr || Contains(*all->unknown, to)) return "unknown";
  const NfWays::Part *part = PartOf(*all, to);
  return part == nullptr ? "none" : part->device + " " + part->source.ToString();
}

TEST(RoutedWays, AreThoseOfTheFirstRoute) {
  const State state = Host();
  RoutedWays ways(state, true);
  EXPECT_EQ(WayTo(ways, "192.0.2.1", 0), "eth0 10.0.0.1");
  EXPECT_EQ(WayTo(ways, "192.0.2.1", 1), "eth1 10.1.0.1");
  EXPECT_EQ(WayTo(ways, "198.51.100.127", 0), "eth1 10.1.0.1");
  EXPECT_EQ(WayTo(ways, "198.51.100.128", 0), "eth0 10.0.0.1");
  EXPECT_EQ(WayTo(ways, "203.0.113.9", 0), "none");
  // The engine leaves these alone.
  for (const char *exempt : {"0.1.2.3", "127.0.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255",
                             "::", "::1", "fe80::1", "ff02::1"})
    EXPECT_EQ(WayTo(ways, exempt, 0), "none") << exempt;
  EXPECT_EQ(WayTo(ways, "2001:db8:7::1", 0), "eth1 fd00:1::1");
  // Bound by the mark: the way stays, the source is another one.
  EXPECT_EQ(WayTo(ways, "192.0.2.1", 0, 1), "eth0 10.1.0.1");
}

TEST(RoutedWays, SourceRulesActOnWhatIsBound) {
  State state = Host();
  Rule by_source = Lookup(50, 100);
  by_source.from = Net("10.1.0.1/32");
  state.rules.insert(state.rules.begin(), by_source);
  RoutedWays ways(state, true);
  EXPECT_EQ(WayTo(ways, "192.0.2.1", 0, 1), "eth1 10.1.0.1");
  // A connection's last lookup is not a datagram's only one.
  state.rules.front().from = Net("10.0.0.1/32");
  RoutedWays torn(state, true);
  EXPECT_EQ(WayTo(torn, "192.0.2.1", 0), "unknown");
}

TEST(RoutedWays, TellMarksApart) {
  const State state = Host();
  RoutedWays ways(state, true);
  EXPECT_FALSE(ways.asked());
  EXPECT_EQ(ways.MarksOf(AF_INET).mask, 3u);
  EXPECT_THAT(ways.MarksOf(AF_INET).values, ElementsAre(0, 1));
  EXPECT_EQ(ways.MarksOf(AF_INET).other, 2u);
  EXPECT_TRUE(ways.asked());
}

TEST(RoutedWays, AreUnknownWhereMoreDecides) {
  State state = Host();
  state.rules.front().family = AF_INET;
  state.rules.front().uids = Range32{1000, 1000};
  RoutedWays by_user(state, true);
  EXPECT_EQ(WayTo(by_user, "192.0.2.1", 0), "unknown");
  state = Host();
  Route several = RouteTo("192.0.2.0/24", RT_TABLE_MAIN, 2);
  several.nexthops = {Via(2, "10.0.0.254"), Via(3, "10.1.0.254")};
  state.routes.push_back(several);
  RoutedWays by_hash(state, true);
  EXPECT_EQ(WayTo(by_hash, "192.0.2.1", 0), "unknown");
  EXPECT_EQ(WayTo(by_hash, "192.0.3.1", 0), "eth0 10.0.0.1");
  RoutedWays steered(state, false);
  EXPECT_EQ(WayTo(steered, "192.0.3.1", 0), "unknown");
}

TEST(RoutedWays, OfEachDestinationAreThatOfItAlone) {
  const State state = Host();
  const auto snapshot = Snapshot::Make(state, 1).value();
  RoutedWays ways(state, true);
  std::mt19937 random(1);
  int found = 0;
  for (int i = 0; i < 4'000; ++i) {
    Flow flow;
    const bool v4 = random() % 2 != 0;
    std::uint32_t words[4] = {
        static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random()),
        static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random())};
    // Half of them are near to something.
    flow.destination = IpAddress::FromBytes(v4 ? AF_INET : AF_INET6, words);
    if (random() % 2 != 0 && state.routes.size() > 0) {
      const Prefix &near = state.routes.entries()[random() % state.routes.size()].dst;
      IpAddress::Bytes bytes = near.address.bytes();
      bytes[near.address.size() - 1 - random() % 4] ^= static_cast<std::uint8_t>(random());
      flow.destination = IpAddress::FromBytes(near.address.family(), bytes.data());
    }
    flow.source = IpAddress::Any(flow.destination.family());
    flow.mark = random() % 2;
    const Selection one = Select(*snapshot, flow);
    const auto all = ways.Of(flow.destination.family(), flow.mark, std::nullopt);
    ASSERT_NE(all, nullptr);
    const NfWays::Part *part = PartOf(*all, flow.destination);
    if (Contains(*all->unknown, flow.destination)) {
      EXPECT_EQ(part, nullptr);
      continue;
    }
    SCOPED_TRACE(flow.ToString());
    ASSERT_TRUE(one.exact());
    // What does not leave, and what the engine leaves alone, has none.
    if (part == nullptr) continue;
    ASSERT_EQ(one.outcome.error, 0);
    ++found;
    EXPECT_EQ(part->source, one.outcome.source);
    EXPECT_EQ(part->device, state.links[one.outcome.oif - 1].name);
  }
  EXPECT_GT(found, 2'000);
}

}  // namespace
}  // namespace srcsel
