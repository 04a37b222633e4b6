#include "image/source4.hh"

#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "fixtures.hh"

namespace srcsel {
namespace {

// What link 2 yields, as text; "none" if nothing.
std::string SourceText(const State &state, std::uint8_t scope, absl::string_view gateway = "") {
  std::optional<IpAddress> via;
  if (!gateway.empty()) via = Address(gateway);
  const Source4 source = SelectSource4(state, 2, via, scope);
  const std::string text = source.address.IsUnspecified() ? "none" : source.address.ToString();
  return source.others.empty() ? text : "perhaps " + text;
}

std::string SourceText(std::vector<InterfaceAddress> addresses, std::uint8_t scope,
                       absl::string_view gateway = "") {
  return SourceText(StateOf(std::move(addresses), {}), scope, gateway);
}

TEST(Source4, IsTheFirstAddressOfTheLink) {
  EXPECT_EQ(SourceText({On(3, "10.9.0.1/24"), On(2, "10.0.0.1/24"), On(2, "10.1.0.1/24")},
                       RT_SCOPE_UNIVERSE),
            "10.0.0.1");
}

// fib_select_default() aside, the one place where the order of devices decides.
TEST(Source4, IsLentByTheFirstDeviceIfTheLinkHasNone) {
  State state = StateOf({On(2, "fd00::1/64"), On(3, "10.9.0.1/24")}, {});
  EXPECT_EQ(SourceText(state, RT_SCOPE_UNIVERSE), "10.9.0.1");
  state.addresses.push_back(On(1, "10.8.0.1/24"));
  EXPECT_EQ(SourceText(state, RT_SCOPE_UNIVERSE), "perhaps 10.8.0.1");
  state.device_order = {1, 2, 3};
  EXPECT_EQ(SourceText(state, RT_SCOPE_UNIVERSE), "10.8.0.1");
  state.device_order = {3, 2, 1};
  EXPECT_EQ(SourceText(state, RT_SCOPE_UNIVERSE), "10.9.0.1");
  EXPECT_EQ(SourceText(StateOf({}, {}), RT_SCOPE_LINK), "none");
}

TEST(Source4, PassesSecondaries) {
  const InterfaceAddress secondary = On(2, "10.0.0.2/24", RT_SCOPE_UNIVERSE, IFA_F_SECONDARY);
  EXPECT_EQ(SourceText({secondary, On(2, "10.0.0.1/24")}, RT_SCOPE_UNIVERSE), "10.0.0.1");
  EXPECT_EQ(SourceText({secondary}, RT_SCOPE_UNIVERSE), "none");
}

TEST(Source4, TakesDeprecatedOnes) {
  EXPECT_EQ(
      SourceText({On(2, "10.0.0.1/24", RT_SCOPE_UNIVERSE, IFA_F_DEPRECATED)}, RT_SCOPE_UNIVERSE),
      "10.0.0.1");
}

TEST(Source4, PassesWhatIsNarrowerThanTheRoute) {
  const std::vector<InterfaceAddress> addresses = {On(2, "10.0.0.1/24", RT_SCOPE_HOST),
                                                   On(2, "10.1.0.1/24", RT_SCOPE_LINK),
                                                   On(2, "10.2.0.1/24", RT_SCOPE_UNIVERSE)};
  EXPECT_EQ(SourceText(addresses, RT_SCOPE_UNIVERSE), "10.2.0.1");
  EXPECT_EQ(SourceText(addresses, RT_SCOPE_LINK), "10.1.0.1");
  EXPECT_EQ(SourceText(addresses, RT_SCOPE_HOST), "10.0.0.1");
}

TEST(Source4, TakesHostScopeForALinkUnderRouteLocalnet) {
  State state = StateOf({On(2, "10.0.0.1/24", RT_SCOPE_HOST)}, {});
  EXPECT_EQ(SourceText(state, RT_SCOPE_LINK), "none");
  state.links[1].route_localnet = true;
  EXPECT_EQ(SourceText(state, RT_SCOPE_LINK), "10.0.0.1");
  EXPECT_EQ(SourceText(state, RT_SCOPE_UNIVERSE), "none");
}

TEST(Source4, PrefersTheSubnetOfTheGateway) {
  const std::vector<InterfaceAddress> addresses = {On(2, "10.0.0.1/24"), On(2, "10.1.0.1/24"),
                                                   On(2, "10.1.0.2/16")};
  EXPECT_EQ(SourceText(addresses, RT_SCOPE_UNIVERSE, "10.0.0.254"), "10.0.0.1");
  EXPECT_EQ(SourceText(addresses, RT_SCOPE_UNIVERSE, "10.1.0.254"), "10.1.0.1");
  EXPECT_EQ(SourceText(addresses, RT_SCOPE_UNIVERSE, "10.1.9.254"), "10.1.0.2");
  EXPECT_EQ(SourceText(addresses, RT_SCOPE_UNIVERSE, "192.0.2.1"), "10.0.0.1");
}

TEST(Source4, TheGatewaysSubnetDoesNotExcuseScopeOrSecondary) {
  EXPECT_EQ(SourceText({On(2, "10.0.0.1/24"), On(2, "10.1.0.1/24", RT_SCOPE_LINK),
                        On(2, "10.1.0.2/24", RT_SCOPE_UNIVERSE, IFA_F_SECONDARY)},
                       RT_SCOPE_UNIVERSE, "10.1.0.254"),
            "10.0.0.1");
}

TEST(Source4, AsksThePeerForTheSubnetOfPointToPoint) {
  InterfaceAddress tunnel = On(2, "192.0.2.1/32");
  tunnel.local = Address("10.5.0.1");
  EXPECT_EQ(SourceText({On(2, "10.0.0.1/24"), tunnel}, RT_SCOPE_UNIVERSE, "192.0.2.1"), "10.5.0.1");
  EXPECT_EQ(SourceText({On(2, "10.0.0.1/24"), tunnel}, RT_SCOPE_UNIVERSE, "10.5.0.1"), "10.0.0.1");
}

TEST(Source4, AGatewayOfIPv6HasNoSubnetHere) {
  EXPECT_EQ(SourceText({On(2, "10.0.0.1/24"), On(2, "10.1.0.1/24")}, RT_SCOPE_UNIVERSE, "fe80::1"),
            "10.0.0.1");
}

std::string KeptText(const State &state, std::optional<IpAddress> prefsrc = Address("10.0.0.2")) {
  Nexthop hop;
  hop.oif = 2;
  return absl::StrJoin(KeptSources4(state, hop, RT_SCOPE_UNIVERSE, prefsrc), " ",
                       [](std::string *text, const IpAddress &address) {
                         absl::StrAppend(text, address.ToString());
                       });
}

TEST(Source4, WasPerhapsAnotherWhenTheRouteWasMade) {
  State state = StateOf({On(2, "10.0.0.1/24"), On(2, "10.0.0.2/16"), On(2, "10.0.0.3/8"),
                         On(2, "10.1.0.1/24"), On(3, "10.9.0.1/24")},
                        {});
  EXPECT_EQ(KeptText(state), "10.0.0.1 10.0.0.2 10.0.0.3 10.1.0.1");
  EXPECT_EQ(KeptText(state, std::nullopt), KeptText(state));
  state.addresses = {On(2, "10.0.0.1/24"), On(3, "10.9.0.1/24")};
  EXPECT_EQ(KeptText(state), "10.0.0.1 10.0.0.2");
  EXPECT_EQ(KeptText(state, std::nullopt), "10.0.0.1");
}

TEST(Source4, WasPerhapsLentByAnotherDevice) {
  State state = StateOf({}, {});
  EXPECT_EQ(KeptText(state), "0.0.0.0 10.0.0.2");
  state.addresses = {On(1, "10.8.0.1/32"), On(3, "10.0.0.2/24")};
  EXPECT_EQ(KeptText(state), "10.8.0.1 10.0.0.2");
  EXPECT_EQ(KeptText(state, std::nullopt), "10.8.0.1 10.0.0.2");
}

}  // namespace
}  // namespace srcsel
