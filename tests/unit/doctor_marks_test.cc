// Whose marks are seen, and which of one's own meet them.

#include <linux/fib_rules.h>

#include "absl/strings/str_join.h"
#include "fixtures.hh"
#include "gtest/gtest.h"
#include "srcsel/doctor/checks.hh"
#include "srcsel/doctor/mark_users.hh"

namespace srcsel {
namespace {

constexpr Mark kTailscale{0x80000, 0xff0000}, kMullvad{0x6d6f6c65};

Rule RuleFor(std::uint32_t pref, Mark mark, std::uint32_t table) {
  Rule rule = Lookup(pref, table);
  rule.action = FR_ACT_TO_TBL;
  rule.mark = mark.value;
  rule.mark_mask = mark.mask;
  return rule;
}

Facts FactsOf(std::vector<Rule> rules) {
  Facts facts;
  facts.network.state.rules = std::move(rules);
  return facts;
}

std::string Users(const Facts &facts) {
  return absl::StrJoin(MarkUsers(facts.network), ", ", [](std::string *out, const MarkUser &user) {
    absl::StrAppend(out, user.name, " ", user.mark.ToString());
  });
}

NfTable Setting(NfMarkValue value) {
  NfTable table;
  table.chains["OUTPUT"].rules.push_back({"rule", {NfSetMark{false, value}}});
  return table;
}

TEST(MarkUsers, AreKnownByTheirRules) {
  EXPECT_EQ(Users(FactsOf({RuleFor(1, kTailscale, 254)})), "Tailscale 0x80000/0xff0000");
  EXPECT_EQ(
      Users(FactsOf({RuleFor(1, {0x10000, 0xff0000}, 256), RuleFor(2, {0x40000, 0xff0000}, 257)})),
      "pbr 0x10000/0xff0000, pbr 0x40000/0xff0000");
  EXPECT_EQ(Users(FactsOf({RuleFor(2001, {0x100, 0x3f00}, 1)})), "mwan3 0x100/0x3f00");
  EXPECT_EQ(Users(FactsOf({RuleFor(9, {0x200, 0xf00}, 2004)})), "Cilium 0x200/0xf00");
  Rule mullvad = RuleFor(1, kMullvad, 7);
  mullvad.flags = FIB_RULE_INVERT;
  EXPECT_EQ(Users(FactsOf({mullvad})), "Mullvad 0x6d6f6c65");
  EXPECT_EQ(Users(FactsOf({RuleFor(1, {0x64}, 7), RuleFor(2, {0x64, 0xff}, 7), Lookup(3, 7)})), "");
}

TEST(MarkUsers, AreKnownByWhatTheFirewallSets) {
  Facts facts;
  facts.network.firewall.tables = {Setting({.packet = ~0x3f00U, .constant = 0x200}),
                                   Setting({.packet = 0, .constant = kMullvad.value}),
                                   Setting({.packet = 0, .constant = 0x64}),
                                   Setting({.packet = ~0x3f00U, .connection = 0x3f00})};
  EXPECT_EQ(Users(facts), "mwan3 0x200/0x3f00, Mullvad 0x6d6f6c65");
}

TEST(MarkMasks, ARuleNeedNotCompareAnothersBits) {
  const Complaints found = CheckMarkMasks(FactsOf(
      {RuleFor(1, kTailscale, 254), RuleFor(2, {0x100, 0x3f00}, 1), RuleFor(100, {0x64}, 77)}));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].remedy,
            "ip rule add pref 100 fwmark 0x64/0xff00c0ff lookup 77 && "
            "ip rule del pref 100 fwmark 0x64 lookup 77");
}

TEST(MarkMasks, RulesThatDoNotMeetAreFine) {
  EXPECT_TRUE(
      CheckMarkMasks(FactsOf({RuleFor(1, kTailscale, 254), RuleFor(2, {0x64, 0xff}, 7)})).empty());
  EXPECT_TRUE(CheckMarkMasks(FactsOf({RuleFor(1, {0x64}, 7), RuleFor(2, {0x65}, 8)})).empty());
  EXPECT_TRUE(CheckMarkMasks(FactsOf({RuleFor(1, kMullvad, 7), RuleFor(2, {0x64}, 8)})).empty());
}

TEST(MarkValues, OfARuleThatAreAnothers) {
  EXPECT_TRUE(
      CheckMarkValues(FactsOf({RuleFor(1, kTailscale, 254), RuleFor(2, {0x64}, 7)})).empty());
  const Complaints taken =
      CheckMarkValues(FactsOf({RuleFor(1, kTailscale, 254), RuleFor(2, {0x80064}, 7)}));
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_NE(taken[0].breaks.find("mark 0x80064 of ip rule 2 is taken for its own by Tailscale"),
            std::string::npos)
      << taken[0].breaks;
  EXPECT_EQ(taken[0].remedy,
            "ip rule add pref 2 fwmark 0x64/0xff00ffff lookup 7 && "
            "ip rule del pref 2 fwmark 0x80064 lookup 7");
  const Complaints used =
      CheckMarkValues(FactsOf({RuleFor(1, {0x100, 0x3f00}, 1), RuleFor(2, {0x200}, 7)}));
  ASSERT_EQ(used.size(), 1U);
  EXPECT_NE(used[0].breaks.find("has bits that are used by mwan3"), std::string::npos);
}

TEST(MarkValues, OfWhatIsUp) {
  Facts facts = FactsOf({RuleFor(1, kTailscale, 254)});
  facts.up.marks = {{0x64, 0xff}, kTailscale};
  EXPECT_TRUE(CheckMarkValues(facts).empty());
  facts.up.marks = {{0x80000, 0x80000}};
  const Complaints found = CheckMarkValues(facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].breaks.find("of the policy that is up is taken"), std::string::npos);
  EXPECT_EQ(found[0].remedy, "");
}

}  // namespace
}  // namespace srcsel
