// The choice of an IPv6 source, rule by rule: in each test the rule it is about decides, against
// what the rules after it would say.

#include "engine/source6.h"

#include <gtest/gtest.h>

#include "fixtures.hh"
#include "image/compile_sources6.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kEth0 = 2, kEth1 = 3;

AddressLabel Label(absl::string_view prefix, std::uint32_t label, std::uint32_t ifindex = 0) {
  return {Net(prefix), ifindex, label};
}

InterfaceAddress Flagged(std::uint32_t ifindex, absl::string_view subnet, std::uint32_t flags) {
  return On(ifindex, subnet, RT_SCOPE_UNIVERSE, flags);
}

// A namespace with the labels that every namespace starts with, and all interfaces in order.
State Having(std::vector<InterfaceAddress> addresses) {
  State state = StateOf(std::move(addresses), {});
  state.device_order = {1, kEth0, kEth1};
  state.labels = {Label("::1/128", 0),    Label("2001:10::/28", 7), Label("::ffff:0:0/96", 4),
                  Label("::/96", 3),      Label("2001::/32", 6),    Label("2002::/16", 2),
                  Label("3ffe::/16", 12), Label("fec0::/10", 11),   Label("fc00::/7", 5),
                  Label("::/0", 1)};
  return state;
}

Link &Eth0(State &state) {
  return state.links[1];
}

// The source, "none" or "unknown".
std::string Choice(const State &state, absl::string_view to, std::uint32_t oif = kEth0,
                   std::uint32_t prefer = 0) {
  const Image image = ImageOf(state, {});
  const srcsel_memory memory = image.memory();
  const srcsel_key dst = KeyOf(Address(to));
  alignas(8) __u8 source[16];
  switch (srcsel_source6(&memory, srcsel_open(&memory), &dst, oif, prefer, source)) {
    case SRCSEL_SOURCED:
      return FromWire(SRCSEL_V6, source).ToString();
    case SRCSEL_NO_SOURCE:
      return "none";
    default:
      return "unknown";
  }
}

// ---- the rules --------------------------------------------------------------------------------

TEST(Source6, OneIsTheDestinationItself) {
  const State state = Having({On(kEth0, "2001:db8::2/64"), On(kEth1, "2001:db8::1/128")});
  EXPECT_EQ(Choice(state, "2001:db8::1"), "2001:db8::1");
}

TEST(Source6, TwoIsTheSmallestScopeThatReaches) {
  const State state = Having({On(kEth0, "2001:db8::1/64"), On(kEth0, "fec0::1/64"),
                              On(kEth0, "fe80::1/64"), On(1, "::1/128")});
  EXPECT_EQ(Choice(state, "2001:db8:1::1"), "2001:db8::1");
  EXPECT_EQ(Choice(state, "fec0:1::1"), "fec0::1");
  EXPECT_EQ(Choice(state, "fe80::2"), "fe80::1");
  EXPECT_EQ(Choice(state, "ff05::2"), "fec0::1");
  EXPECT_EQ(Choice(state, "ff08::2"), "2001:db8::1");
}

TEST(Source6, TwoIsTheWidestScopeIfNoneReaches) {
  const State state = Having({On(kEth0, "fe80::1/64"), On(kEth0, "fec0::1/64")});
  EXPECT_EQ(Choice(state, "2001:db8::1"), "fec0::1");
  EXPECT_EQ(Choice(state, "ff0e::1"), "fec0::1");
}

TEST(Source6, ThreeIsNotDeprecated) {
  const State state =
      Having({Flagged(kEth0, "2001:db8::1/64", IFA_F_DEPRECATED), On(kEth1, "3ffe::1/64")});
  EXPECT_EQ(Choice(state, "2001:db8::2"), "3ffe::1");
}

TEST(Source6, ThreeIsNotOptimisticUnlessTheInterfaceUsesThose) {
  State state =
      Having({Flagged(kEth0, "2001:db8::1/64", IFA_F_OPTIMISTIC), On(kEth1, "2001:db8::3/64")});
  EXPECT_EQ(Choice(state, "2001:db8::2"), "2001:db8::3");
  Eth0(state).use_optimistic = true;
  EXPECT_EQ(Choice(state, "2001:db8::2"), "2001:db8::3");
  Eth0(state).optimistic_dad = true;
  EXPECT_EQ(Choice(state, "2001:db8::2"), "2001:db8::1");
}

TEST(Source6, ThreeTakesTheSettingsOfAllInterfacesToo) {
  State state =
      Having({Flagged(kEth0, "2001:db8::1/64", IFA_F_OPTIMISTIC), On(kEth1, "2001:db8::3/64")});
  state.settings.optimistic_dad_all = true;
  EXPECT_EQ(Choice(state, "2001:db8::2"), "2001:db8::3");
  state.settings.use_optimistic_all = true;
  EXPECT_EQ(Choice(state, "2001:db8::2"), "2001:db8::1");
}

TEST(Source6, ThreeDoesNotAgeMappedCompatibleAndLoopbackAddresses) {
  for (const char *ageless : {"::ffff:10.0.0.1/128", "::10.0.0.1/128"}) {
    const State state =
        Having({Flagged(kEth0, ageless, IFA_F_DEPRECATED), On(kEth1, "2001:db8::1/64")});
    EXPECT_EQ(Choice(state, "3fff::1") + "/128", ageless);
  }
  const State state = Having({Flagged(1, "::1/128", IFA_F_DEPRECATED), On(kEth0, "fe80::1/64")});
  EXPECT_EQ(Choice(state, "2001:db8::1", 1), "::1");
}

TEST(Source6, FourIsAHomeAddressWhereTheKernelKnowsMobility) {
  State state =
      Having({On(kEth0, "2001:db8::1/64"), Flagged(kEth1, "3ffe::1/64", IFA_F_HOMEADDRESS)});
  EXPECT_EQ(Choice(state, "2001:db8::2"), "2001:db8::1");
  state.settings.mobility6 = true;
  EXPECT_EQ(Choice(state, "2001:db8::2"), "3ffe::1");
  EXPECT_EQ(Choice(state, "2001:db8::2", kEth1, SRCSEL_PREFER_CARE_OF), "2001:db8::1");
}

TEST(Source6, FiveIsOnTheOutgoingInterface) {
  const State state = Having({On(kEth0, "3ffe::1/64"), On(kEth1, "2001:db8::1/64")});
  EXPECT_EQ(Choice(state, "2001:db8::2", kEth0), "3ffe::1");
  EXPECT_EQ(Choice(state, "2001:db8::2", kEth1), "2001:db8::1");
}

TEST(Source6, SixIsOfTheDestinationsLabel) {
  const State state =
      Having({On(kEth0, "2001:db8::1/64"), Flagged(kEth0, "fd00::1/64", IFA_F_TEMPORARY)});
  EXPECT_EQ(Choice(state, "fc00::1"), "fd00::1");
  EXPECT_EQ(Choice(state, "3fff::1"), "2001:db8::1");
}

TEST(Source6, SixTakesTheFirstLabelThatFits) {
  State state = Having({On(kEth0, "2001:db8::1/64"), On(kEth0, "2001:db9::1/64")});
  state.labels = {Label("2001:db8::/32", 8), Label("3fff::/20", 8), Label("2001:db8::/32", 9),
                  Label("::/0", 1)};
  EXPECT_EQ(Choice(state, "3fff::1"), "2001:db8::1");
  EXPECT_EQ(Choice(state, "2001:dba::1"), "2001:db9::1");
}

TEST(Source6, SixKnowsLabelsOfOneInterfaceOnly) {
  State state = Having({On(kEth0, "2001:db9::1/64"), On(kEth0, "2001:db8::1/64")});
  state.labels = {Label("2001:db8::/32", 8, kEth0), Label("3fff::/20", 8, kEth1), Label("::/0", 1)};
  EXPECT_EQ(Choice(state, "3fff::1"), "2001:db9::1");
  state.labels[1].ifindex = kEth0;
  EXPECT_EQ(Choice(state, "3fff::1"), "2001:db8::1");
}

TEST(Source6, SixFindsNoLabelEqualToNoLabel) {
  State state = Having({On(kEth0, "2001:db8::1/64"), On(kEth0, "2001:db9::1/64")});
  state.labels = {Label("2001:db8::/32", 8)};
  EXPECT_EQ(Choice(state, "2001:dbb::1"), "2001:db9::1");
}

TEST(Source6, SevenIsPublicOrTemporaryAsTheInterfacePrefers) {
  State state = Having({On(kEth0, "3ffe::1/64"), Flagged(kEth0, "3ffe:1::2/64", IFA_F_TEMPORARY)});
  EXPECT_EQ(Choice(state, "3ffe:1::1"), "3ffe::1");
  Eth0(state).use_tempaddr = 1;
  EXPECT_EQ(Choice(state, "3ffe:1::1"), "3ffe::1");
  Eth0(state).use_tempaddr = 2;
  EXPECT_EQ(Choice(state, "3ffe::2"), "3ffe:1::2");
}

TEST(Source6, SevenIsWhatTheApplicationPrefers) {
  State state = Having({On(kEth0, "3ffe::1/64"), Flagged(kEth0, "3ffe:1::2/64", IFA_F_TEMPORARY)});
  for (const std::int32_t use_tempaddr : {0, 2}) {
    Eth0(state).use_tempaddr = use_tempaddr;
    EXPECT_EQ(Choice(state, "3ffe::2", kEth0, SRCSEL_PREFER_TEMPORARY), "3ffe:1::2");
    EXPECT_EQ(Choice(state, "3ffe:1::1", kEth0, SRCSEL_PREFER_PUBLIC), "3ffe::1");
    EXPECT_EQ(Choice(state, "3ffe::2", kEth0, SRCSEL_PREFER_TEMPORARY | SRCSEL_PREFER_PUBLIC),
              "3ffe:1::2");
  }
}

TEST(Source6, EightIsAnOrchidForAnOrchid) {
  State state = Having({On(kEth0, "2001:11::1/32"), On(kEth0, "2001:20::1/32")});
  state.labels.clear();
  EXPECT_EQ(Choice(state, "2001:1f::1"), "2001:11::1");
  EXPECT_EQ(Choice(state, "2001:10::1"), "2001:11::1");
  EXPECT_EQ(Choice(state, "2001:2::1"), "2001:20::1");
}

TEST(Source6, NineIsTheLongestPrefixInCommon) {
  const State state = Having({On(kEth0, "2001:db8::1/64"), On(kEth0, "2001:db8:8000::1/64"),
                              On(kEth0, "2001:db8:0:1::1/128")});
  EXPECT_EQ(Choice(state, "2001:db8:f000::1"), "2001:db8:8000::1");
  EXPECT_EQ(Choice(state, "2001:db8:0:1:1::"), "2001:db8:0:1::1");
}

TEST(Source6, NineCountsNoBitsBeyondThePrefixOfTheAddress) {
  const State state = Having({Flagged(kEth0, "2001:db8:0:1::1/48", IFA_F_OPTIMISTIC),
                              Flagged(kEth0, "2001:db8:0:2::1/48", 0)});
  EXPECT_EQ(Choice(state, "2001:db8:0:1::2"), "2001:db8:0:2::1");
}

TEST(Source6, NineCountsUpToTheLastBit) {
  const State state = Having({On(kEth0, "2001:db8::8/128"), On(kEth0, "2001:db8::2/128")});
  EXPECT_EQ(Choice(state, "2001:db8::3"), "2001:db8::2");
  EXPECT_EQ(Choice(state, "2001:db8::9"), "2001:db8::8");
}

TEST(Source6, TenIsNotOptimistic) {
  State state = Having({Flagged(kEth0, "2001:db8::1/64", IFA_F_OPTIMISTIC | IFA_F_TENTATIVE),
                        On(kEth0, "2001:db8::2/64")});
  Eth0(state).optimistic_dad = Eth0(state).use_optimistic = true;
  EXPECT_EQ(Choice(state, "2001:db8::3"), "2001:db8::2");
}

TEST(Source6, IsTheFirstOfEquals) {
  const State state = Having({On(kEth0, "2001:db8::2/64"), On(kEth0, "2001:db8::1/64")});
  EXPECT_EQ(Choice(state, "3fff::1"), "2001:db8::2");
}

// ---- the scope --------------------------------------------------------------------------------

TEST(Scope6, IsTheOneThatRfc4291Says) {
  const std::vector<std::pair<const char *, std::uint32_t>> scopes = {
      {"::1", 2},         {"fe80::1", 2},     {"febf:ffff::", 2}, {"fe7f::", 14},
      {"fec0::", 5},      {"feff:ffff::", 5}, {"ff01::1", 1},     {"ff02::1", 2},
      {"ff35::1", 5},     {"ff0e::1", 14},    {"2001:db8::", 14}, {"fd00::1", 14},
      {"::10.0.0.1", 14}, {"fe00::1", 14},    {"::2", 14},        {"1::1", 14},
  };
  for (const auto &[text, scope] : scopes) {
    const srcsel_key key = KeyOf(Address(text));
    EXPECT_EQ(srcsel_scope6(&key), scope) << text;
  }
}

// Appendix of ipv6_get_saddr_eval(): a scope that reaches, however wide, before one that does not.
TEST(Scope6, OrdersAllPairsAsTheKernelDoes) {
  const std::vector<std::pair<std::string, int>> sources = {
      {"fe80::1", 2}, {"fec0::1", 5}, {"2001:db8::1", 14}};
  for (int scope = 3; scope < 16; ++scope) {
    const std::string group = absl::StrCat("ff0", absl::Hex(scope), "::1");
    const auto worth = [&](int s) { return s >= scope ? -s : s - 128; };
    for (const auto &[a, scope_a] : sources)
      for (const auto &[b, scope_b] : sources) {
        const State state = Having({On(kEth0, a + "/64"), On(kEth0, b + "/64")});
        EXPECT_EQ(Choice(state, group), worth(scope_a) >= worth(scope_b) ? a : b) << group;
      }
  }
}

// ---- candidates -------------------------------------------------------------------------------

TEST(Source6, IsNoneOfTentativeMulticastAndIPv4Addresses) {
  const State state = Having({Flagged(kEth0, "2001:db8::1/64", IFA_F_TENTATIVE),
                              Flagged(kEth0, "2001:db8::2/64", IFA_F_TENTATIVE | IFA_F_DADFAILED),
                              On(kEth0, "ff0e::1/64"), On(kEth0, "10.0.0.1/24")});
  EXPECT_EQ(CompileSources6(state).addresses.size(), 0u);
  EXPECT_EQ(Choice(state, "2001:db8::3"), "none");
}

TEST(Source6, IsOfAnyInterfaceIfTheRoutesHasNone) {
  const State state = Having({On(kEth1, "2001:db8::1/64")});
  EXPECT_EQ(Choice(state, "3fff::1", kEth0), "2001:db8::1");
}

TEST(Source6, IsOfTheOutgoingInterfaceOnlyWithinItsLink) {
  const State state = Having({On(kEth0, "fe80::1/64"), On(kEth1, "2001:db8::1/64")});
  for (const char *near : {"fe80::2", "ff01::1", "ff02::1", "ff0e::1"}) {
    EXPECT_EQ(Choice(state, near, kEth0), "fe80::1") << near;
    EXPECT_EQ(Choice(state, near, kEth1), "2001:db8::1") << near;
    EXPECT_EQ(Choice(state, near, 1), "none") << near;
  }
  EXPECT_EQ(Choice(state, "ff05::1", kEth0), "fe80::1");
}

TEST(Source6, IsOfTheOutgoingInterfaceOnlyIfThatSaysSo) {
  State state = Having({On(kEth0, "fe80::1/64"), On(kEth1, "2001:db8::1/128")});
  Eth0(state).use_oif_addrs_only = true;
  EXPECT_EQ(Choice(state, "2001:db8::1", kEth0), "fe80::1");
  EXPECT_EQ(Choice(state, "2001:db8::1", kEth1), "2001:db8::1");
  state.addresses.erase(state.addresses.begin());
  EXPECT_EQ(Choice(state, "2001:db8::1", kEth0), "none");
  EXPECT_EQ(Choice(state, "3fff::1", kEth1), "2001:db8::1");
}

TEST(Source6, WithoutARouteIsOfAnyInterface) {
  State state = Having({On(kEth0, "2001:db8::1/64"), On(kEth1, "3ffe::1/64")});
  Eth0(state).use_oif_addrs_only = true;
  EXPECT_EQ(Choice(state, "3ffe::2", 0), "3ffe::1");
  EXPECT_EQ(Choice(state, "2001:db8::2", 0), "2001:db8::1");
  EXPECT_EQ(Choice(state, "ff02::1", 0), "2001:db8::1");
}

TEST(Source6, OfAVrfIsUnknownAndOfferedToNobodyElse) {
  State state =
      Having({On(kEth0, "2001:db8::1/64"), On(kEth1, "3ffe::1/64"), On(4, "2001:db8::4/128")});
  state.links.push_back({.index = 4, .name = "red", .vrf = true});
  Eth0(state).master = 4;
  EXPECT_EQ(Choice(state, "2001:db8::2", kEth0), "unknown");
  EXPECT_EQ(Choice(state, "2001:db8::2", 4), "unknown");
  EXPECT_EQ(Choice(state, "2001:db8::2", kEth1), "3ffe::1");
  EXPECT_EQ(Choice(state, "2001:db8::2", 0), "3ffe::1");
}

// ---- the order of interfaces ------------------------------------------------------------------

State TwoEqualInterfaces() {
  return Having({On(kEth0, "2001:db8::1/64"), On(kEth1, "2001:db8::2/64")});
}

TEST(Source6, IsOfTheFirstOfEqualInterfaces) {
  State state = TwoEqualInterfaces();
  EXPECT_EQ(Choice(state, "3fff::1", 1), "2001:db8::1");
  state.device_order = {kEth1, 1, kEth0};
  EXPECT_EQ(Choice(state, "3fff::1", 1), "2001:db8::2");
}

TEST(Source6, IsUnknownIfTheOrderDecidesAndIsNotKnown) {
  State state = TwoEqualInterfaces();
  const std::vector<std::vector<std::uint32_t>> orders = {{}, {kEth0}, {kEth1}, {1, kEth1}};
  for (const auto &order : orders) {
    state.device_order = order;
    EXPECT_EQ(Choice(state, "3fff::1", 1), "unknown");
    EXPECT_EQ(Choice(state, "3fff::1", kEth0), "2001:db8::1");
    EXPECT_EQ(Choice(state, "3fff::1", kEth1), "2001:db8::2");
  }
}

TEST(Source6, IsKnownIfABetterOneFollowsTheDoubt) {
  State state = TwoEqualInterfaces();
  state.addresses.push_back(On(4, "3fff::2/64"));
  state.device_order.clear();
  EXPECT_EQ(Choice(state, "3fff::1", 1), "3fff::2");
}

TEST(Source6, IsKnownIfEqualsAreOfOneInterface) {
  State state = Having({On(kEth0, "2001:db8::1/64"), On(kEth0, "2001:db8::2/64")});
  state.device_order.clear();
  EXPECT_EQ(Choice(state, "3fff::1", 1), "2001:db8::1");
}

TEST(Source6, IsNoneWithoutCandidatesWhateverTheOrder) {
  State state = Having({On(kEth1, "2001:db8::1/64")});
  state.device_order.clear();
  EXPECT_EQ(Choice(state, "fe80::1", kEth0), "none");
}

// ---- in a decision ----------------------------------------------------------------------------

TEST(Source6, IsBoundWhereARouteNamesNone) {
  State state = Having({On(kEth0, "2001:db8::1/64"), On(kEth1, "3ffe::1/64")});
  state.routes = {{RouteTo("2001:db8:1::/48", 100, kEth0), RouteTo("3fff::/20", 100, kEth1),
                   RouteTo("3fff:1::/32", 100, kEth1, "2001:db8::1")}};
  state.rules.insert(state.rules.begin(), Lookup(5, 100, AF_INET6));
  const auto source = [&](absl::string_view to) {
    const srcsel_flow flow = FlowTo(to);
    const srcsel_decision decision = Decide(ImageOf(state, {Binding("1")}), flow);
    return absl::StrCat(Why(decision), " ", SourceText(flow, decision));
  };
  EXPECT_EQ(source("2001:db8:1::1"), "table 2001:db8::1");
  EXPECT_EQ(source("3fff::1"), "table 3ffe::1");
  EXPECT_EQ(source("3fff:1::1"), "table 2001:db8::1");
}

TEST(Source6, IsLeftToTheKernelIfNoneOrUnknown) {
  State state = TwoEqualInterfaces();
  state.routes = {{RouteTo("3fff::/20", RT_TABLE_MAIN, 1)}};
  EXPECT_EQ(Why(Decide(ImageOf(state, {Binding("1")}), FlowTo("3fff::1"))), "table");
  state.device_order.clear();
  const srcsel_decision unknown = Decide(ImageOf(state, {Binding("1")}), FlowTo("3fff::1"));
  EXPECT_EQ(Why(unknown), "ambiguous");
  EXPECT_EQ(unknown.apply, 0u);
  state.addresses.clear();
  EXPECT_EQ(Why(Decide(ImageOf(state, {Binding("1")}), FlowTo("3fff::1"))), "no-source");
}

}  // namespace
}  // namespace srcsel
