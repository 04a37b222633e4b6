#include <linux/neighbour.h>

#include <gtest/gtest.h>

#include "netlink/gateways.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kV0 = 2, kV1 = 3;

Neighbour At(std::uint32_t device, const char *address, int state) {
  return {device, *IpAddress::Parse(address), static_cast<std::uint16_t>(state)};
}

// Routes through 10.0.0.254 and, over IPv6, fe80::1, both at kV0, and an object through fe80::2.
State WithNeighbours(std::vector<Neighbour> neighbours) {
  Route v4, both;
  v4.nexthops = {{kV0, *IpAddress::Parse("10.0.0.254"), 1, 0, false}};
  both.nexthops = {{kV1, std::nullopt, 1, 0, false},
                   {kV0, *IpAddress::Parse("fe80::1"), 1, 0, false}};
  NexthopObject object;
  object.oif = kV1;
  object.gateway = *IpAddress::Parse("fe80::2");
  State state;
  state.routes = std::vector<Route>{v4, both};
  state.nexthops = {object};
  state.neighbours = std::move(neighbours);
  return state;
}

TEST(Gateways, AreThoseOfRoutesAndObjectsOnTheirDevices) {
  const Gateways gateways(WithNeighbours({}));
  EXPECT_TRUE(gateways.Differs(At(kV0, "10.0.0.254", NUD_STALE)));
  EXPECT_TRUE(gateways.Differs(At(kV0, "fe80::1", NUD_STALE)));
  EXPECT_TRUE(gateways.Differs(At(kV1, "fe80::2", NUD_STALE)));
  EXPECT_FALSE(gateways.Differs(At(kV1, "10.0.0.254", NUD_STALE)));
  EXPECT_FALSE(gateways.Differs(At(kV0, "fe80::2", NUD_STALE)));
  EXPECT_FALSE(gateways.Differs(At(kV0, "10.0.0.1", NUD_STALE)));
  EXPECT_FALSE(Gateways().Differs(At(kV0, "10.0.0.254", NUD_STALE)));
}

TEST(Gateways, AreWorthAReadingWhenTheirClassDiffers) {
  const std::vector<std::vector<int>> classes = {
      {NUD_NONE},
      {NUD_INCOMPLETE},
      {NUD_REACHABLE},
      {NUD_STALE, NUD_DELAY, NUD_PROBE, NUD_PERMANENT, NUD_NOARP},
      {NUD_FAILED}};
  for (const auto &before : classes)
    for (const auto &after : classes)
      for (const int was : before)
        for (const int is : after) {
          const Gateways gateways(WithNeighbours({At(kV0, "10.0.0.254", was)}));
          EXPECT_EQ(gateways.Differs(At(kV0, "10.0.0.254", is)), &before != &after)
              << was << " to " << is;
        }
}

TEST(Gateways, AreWorthAReadingWhenGone) {
  const Neighbour gone = At(kV0, "10.0.0.254", NUD_FAILED);
  EXPECT_TRUE(Gateways(WithNeighbours({gone})).DiffersWithout(gone));
  EXPECT_FALSE(Gateways(WithNeighbours({})).DiffersWithout(gone));
  EXPECT_FALSE(Gateways(WithNeighbours({})).DiffersWithout(At(kV1, "10.0.0.254", NUD_STALE)));
}

}  // namespace
}  // namespace srcsel
