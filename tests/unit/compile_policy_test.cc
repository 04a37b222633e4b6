#include "image/compile_policy.hh"

#include <gtest/gtest.h>

#include "fixtures.hh"

namespace srcsel {
namespace {

const State kState = StateOf({On(1, "127.0.0.1/8", RT_SCOPE_HOST), On(2, "10.0.0.1/24"),
                              On(2, "fd00::1/64"), On(3, "10.1.0.1/24")},
                             {});

srcsel_policy Compiled(const PolicyRule &rule) {
  return CompilePolicy(TakeApart(Policy{{rule}}).value(), kState).value().rules.at(0);
}

std::string ErrorOf(std::vector<PolicyRule> rules) {
  const auto compiled = CompilePolicy(TakeApart(Policy{std::move(rules)}).value(), kState);
  EXPECT_EQ(compiled.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(compiled.status().message());
}

std::string SourceOf(const srcsel_policy &policy, srcsel_family family) {
  return policy.has_source[family] ? FromWire(family, policy.source[family]).ToString() : "none";
}

TEST(CompilePolicy, OfAMark) {
  const srcsel_policy policy = Compiled(Marking("0x64/0xff"));
  EXPECT_EQ(policy.action, SRCSEL_DO_MARK);
  EXPECT_EQ(std::pair(policy.mark, policy.mark_mask), std::pair(0x64u, 0xffu));
  EXPECT_EQ(SourceOf(policy, SRCSEL_V4), "none");
}

TEST(CompilePolicy, OfABind) {
  const srcsel_policy policy = Compiled(Binding("100"));
  EXPECT_EQ(policy.action, SRCSEL_DO_TABLES);
  EXPECT_EQ(std::pair(policy.mark, policy.mark_mask), std::pair(100u, 0xffffffffu));
}

TEST(CompilePolicy, OfSources) {
  const srcsel_policy policy = Compiled(Sourcing({Address("10.0.0.9"), Address("fd00::9")}));
  EXPECT_EQ(policy.action, SRCSEL_DO_SOURCE);
  EXPECT_EQ(SourceOf(policy, SRCSEL_V4), "10.0.0.9");
  EXPECT_EQ(SourceOf(policy, SRCSEL_V6), "fd00::9");
  EXPECT_EQ(SourceOf(Compiled(Sourcing({Address("fd00::9")})), SRCSEL_V4), "none");
}

TEST(CompilePolicy, OfAMarkAndASource) {
  PolicyRule rule = Marking("100");
  rule.sources = {Address("10.0.0.1")};
  EXPECT_EQ(Compiled(rule).action, SRCSEL_DO_MARK | SRCSEL_DO_SOURCE);
}

TEST(CompilePolicy, OfADeviceHoldsAtHomeOnly) {
  const srcsel_policy both = Compiled(Sourcing({DeviceSource{"eth0"}}));
  EXPECT_EQ(both.action, SRCSEL_DO_SOURCE | SRCSEL_HOME_ONLY);
  EXPECT_EQ(SourceOf(both, SRCSEL_V4), "10.0.0.1");
  EXPECT_EQ(SourceOf(both, SRCSEL_V6), "fd00::1");
  const srcsel_policy one = Compiled(Sourcing({DeviceSource{"eth1"}}));
  EXPECT_EQ(SourceOf(one, SRCSEL_V6), "none");
  const srcsel_policy gone = Compiled(Sourcing({DeviceSource{"ppp0"}}));
  EXPECT_EQ(gone.action, SRCSEL_DO_SOURCE | SRCSEL_HOME_ONLY);
  EXPECT_EQ(SourceOf(gone, SRCSEL_V4), "none");
}

TEST(CompilePolicy, NumbersItsRules) {
  const auto compiled =
      CompilePolicy(TakeApart(Policy{{Marking("1"), Marking("2")}}).value(), kState).value().rules;
  ASSERT_EQ(compiled.size(), 2u);
  EXPECT_EQ(std::pair(compiled[0].id, compiled[1].id), std::pair(0u, 1u));
}

TEST(CompilePolicy, RefusesRulesThatSayNothingOrTooMuch) {
  EXPECT_EQ(ErrorOf({PolicyRule{}}),
            "compile policy rule 0: a rule needs a mark, a source, a pool or ports");
  PolicyRule both = Binding("100");
  both.sources = {Address("10.0.0.1")};
  PolicyRule unmarked = Sourcing({});
  unmarked.apply = Apply::kBind;
  EXPECT_EQ(ErrorOf({Marking("1"), both}),
            "compile policy rule 1: binding the source of the tables takes a mark and excludes a "
            "source");
  EXPECT_FALSE(CompilePolicy(TakeApart(Policy{{unmarked}}).value(), kState).ok());
}

TEST(CompilePolicy, RefusesCommandNamesThatNoThreadCanHave) {
  PolicyRule rule = Marking("1");
  rule.comms = {"fifteen-letters"};
  EXPECT_TRUE(CompilePolicy(TakeApart(Policy{{rule}}).value(), kState).ok());
  rule.comms = {"curl", "sixteen--letters"};
  EXPECT_EQ(ErrorOf({rule}),
            "compile policy rule 0: command name 'sixteen--letters' has not 1 to 15 bytes");
  rule.comms = {""};
  EXPECT_EQ(ErrorOf({rule}), "compile policy rule 0: command name '' has not 1 to 15 bytes");
}

TEST(CompilePolicy, HasALimit) {
  Policy policy;
  policy.rules.assign(SRCSEL_MAX_POLICY, Marking("1"));
  EXPECT_TRUE(TakeApart(policy).ok());
  policy.rules.push_back(Marking("1"));
  EXPECT_EQ(
      TakeApart(policy).status(),
      absl::ResourceExhaustedError("compile policy: 1985 rules, at most 1984 fit into an image"));
}

// It still asks for one: what is decided by it fails.
TEST(CompilePolicy, WithoutTheSourcesThatTheHostDoesNotHave) {
  PolicyRule rule = Sourcing({*IpAddress::Parse("10.1.0.9"), *IpAddress::Parse("fd00::1")});
  rule.lacks = {{rule.sources[0], "10.1.0.9: gone"}};
  const srcsel_policy policy = Compiled(rule);
  EXPECT_EQ(policy.action, SRCSEL_DO_SOURCE);
  EXPECT_EQ(SourceOf(policy, SRCSEL_V4), "none");
  EXPECT_EQ(SourceOf(policy, SRCSEL_V6), "fd00::1");
}

// What eth0 lends if these are the addresses of the host.
std::string Lent(std::vector<InterfaceAddress> addresses, int family) {
  const State state = StateOf(std::move(addresses), {});
  const std::optional<IpAddress> lent = AddressOf(state, DeviceSource{"eth0"}, family);
  return lent ? lent->ToString() : "none";
}

TEST(AddressOf, IsTheFirstPrimaryGlobalIPv4Address) {
  EXPECT_EQ(
      Lent({On(3, "10.9.0.1/24"), On(2, "10.0.0.2/24", RT_SCOPE_UNIVERSE, IFA_F_SECONDARY),
            On(2, "169.254.0.1/16", RT_SCOPE_LINK), On(2, "10.0.0.1/24"), On(2, "10.0.0.3/25")},
           AF_INET),
      "10.0.0.1");
  EXPECT_EQ(Lent({On(2, "10.0.0.2/24", RT_SCOPE_UNIVERSE, IFA_F_SECONDARY)}, AF_INET), "none");
  EXPECT_EQ(Lent({On(2, "fd00::1/64")}, AF_INET), "none");
}

TEST(AddressOf, PrefersIPv6AddressesThatStay) {
  const auto v6 = [](absl::string_view text, std::uint32_t flags) {
    return On(2, text, RT_SCOPE_UNIVERSE, flags);
  };
  const std::vector<InterfaceAddress> addresses = {
      On(2, "fe80::1/64", RT_SCOPE_LINK), v6("fd00::1/64", IFA_F_TENTATIVE),
      v6("fd00::2/64", IFA_F_DADFAILED),  v6("fd00::3/64", IFA_F_TEMPORARY),
      v6("fd00::4/64", IFA_F_DEPRECATED), v6("fd00::5/64", IFA_F_PERMANENT)};
  EXPECT_EQ(Lent(addresses, AF_INET6), "fd00::5");
  EXPECT_EQ(Lent({addresses.begin(), addresses.end() - 1}, AF_INET6), "fd00::3");
  EXPECT_EQ(Lent({addresses.begin(), addresses.begin() + 3}, AF_INET6), "none");
}

TEST(AddressOf, OfNoSuchDeviceIsNone) {
  EXPECT_EQ(AddressOf(kState, DeviceSource{"ppp0"}, AF_INET), std::nullopt);
}

}  // namespace
}  // namespace srcsel
