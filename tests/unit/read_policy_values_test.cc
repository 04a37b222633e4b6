// Every key of a policy file, with what it may say.

#include <grp.h>
#include <pwd.h>

#include <gmock/gmock.h>

#include "fixtures.hh"
#include "policy_text.hh"

namespace srcsel {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PolicyTo, IsPrefixesAddressesAndSets) {
  EXPECT_THAT(RuleWith("to = '203.0.113.0/24'").to, ElementsAre(Net("203.0.113.0/24")));
  EXPECT_THAT(RuleWith("to = ['10.0.0.1', 'fd00::/8', '0.0.0.0/0']").to,
              ElementsAre(Net("10.0.0.1/32"), Net("fd00::/8"), Net("0.0.0.0/0")));
  const PolicyRule rule = OnlyRule(
      "[[rule]]\nto = ['@lan', '10.9.9.9']\nmark = 1\n"
      "[set.lan]\nprefixes = ['192.168.0.0/16', '10.0.0.0/8', '10.0.0.0/8', 'fd00::/8']");
  EXPECT_THAT(rule.to, ElementsAre(Net("10.9.9.9/32")));
  ASSERT_EQ(rule.sets.size(), 1u);
  EXPECT_EQ(rule.sets[0]->name, "lan");
  EXPECT_THAT(rule.sets[0]->prefixes,
              ElementsAre(Net("10.0.0.0/8"), Net("192.168.0.0/16"), Net("fd00::/8")));
}

TEST(PolicyTo, SharesASetAmongRules) {
  const PolicyFile file = ReadPolicyText(
      "set.a.prefixes = ['10.0.0.0/8']\n"
      "[[rule]]\nto = '@a'\ndport = 80\nmark = 1\n[[rule]]\nto = '@a'\nmark = 2\n",
      "p");
  ASSERT_EQ(file.policy.rules.size(), 2u);
  EXPECT_EQ(file.policy.rules[0].sets[0], file.policy.rules[1].sets[0]);
}

TEST(PolicyIpproto, IsANameOrANumber) {
  EXPECT_THAT(RuleWith("ipproto = 'tcp'").protos, ElementsAre(6));
  EXPECT_THAT(RuleWith("ipproto = ['udp', 'icmp', 'ipv6-icmp', 'icmpv6', 'sctp', 255, '1']").protos,
              ElementsAre(17, 1, 58, 58, 132, 255, 1));
}

TEST(PolicyDport, IsPortsAndRanges) {
  EXPECT_THAT(RuleWith("dport = 443").dports, ElementsAre(Range16{443, 443}));
  EXPECT_THAT(
      RuleWith("dport = ['443', '8000-8099', 1, '65535-65535']").dports,
      ElementsAre(Range16{443, 443}, Range16{8000, 8099}, Range16{1, 1}, Range16{65535, 65535}));
}

TEST(PolicyUidrange, IsNumbersRangesAndNames) {
  EXPECT_THAT(RuleWith("uidrange = '1000-1999'").uids, ElementsAre(Range32{1000, 1999}));
  const std::uint32_t nobody = getpwnam("nobody")->pw_uid;
  EXPECT_THAT(
      RuleWith("uidrange = ['root', 'nobody', 33, '0-4294967295']").uids,
      ElementsAre(Range32{0, 0}, Range32{nobody, nobody}, Range32{33, 33}, Range32{0, 0xffffffff}));
}

TEST(PolicyGid, IsNumbersRangesAndNames) {
  const std::uint32_t daemon = getgrnam("daemon")->gr_gid;
  EXPECT_THAT(
      RuleWith("gid = ['root', 'daemon', 50, '100-199']").gids,
      ElementsAre(Range32{0, 0}, Range32{daemon, daemon}, Range32{50, 50}, Range32{100, 199}));
}

TEST(PolicyClassid, IsAsTcHasItOrANumber) {
  EXPECT_THAT(
      RuleWith("classid = ['10:1', '0x100001', 1048577, 'ffff:ffff', '1:0-1:f', 0]").classids,
      ElementsAre(Range32{0x100001, 0x100001}, Range32{0x100001, 0x100001},
                  Range32{0x100001, 0x100001}, Range32{0xffffffff, 0xffffffff},
                  Range32{0x10000, 0x1000f}, Range32{0, 0}));
}

TEST(PolicyCgroup, IsAPathFromTheRoot) {
  EXPECT_THAT(RuleWith("cgroup = '/system.slice/backup.service'").cgroups,
              ElementsAre(Cgroup{"/system.slice/backup.service", 0, 2}));
  EXPECT_THAT(RuleWith("cgroup = ['/', '/a//b/']").cgroups,
              ElementsAre(Cgroup{"/", 0, 0}, Cgroup{"/a/b", 0, 2}));
}

TEST(PolicyComm, IsUpToFifteenBytes) {
  EXPECT_THAT(RuleWith("comm = ['curl', 'fifteen-letters']").comms,
              ElementsAre("curl", "fifteen-letters"));
}

TEST(PolicyIfMark, IsAMarkWithOrWithoutAMask) {
  EXPECT_THAT(RuleWith("if-mark = ['0x10/0xf0', 7, '0']").marks,
              ElementsAre(Mark{0x10, 0xf0}, Mark{7}, Mark{0}));
}

TEST(PolicyMark, IsAMarkWithOrWithoutAMask) {
  EXPECT_EQ(OnlyRule("[[rule]]\nmark = '0x64/0xff'").mark, (Mark{0x64, 0xff}));
  EXPECT_EQ(OnlyRule("[[rule]]\nmark = 0x64").mark, (Mark{100}));
  EXPECT_EQ(OnlyRule("[[rule]]\nmark = 100").apply, Apply::kMark);
  EXPECT_EQ(RuleWith("apply = 'bind'").apply, Apply::kBind);
  EXPECT_EQ(RuleWith("apply = 'mark'").apply, Apply::kMark);
}

TEST(PolicyLookup, IsATableByNumberOrName) {
  EXPECT_EQ(OnlyRule("[[rule]]\nlookup = 100").lookup, 100u);
  EXPECT_EQ(OnlyRule("[[rule]]\nlookup = '4294967295'").lookup, 4294967295u);
  EXPECT_EQ(OnlyRule("[[rule]]\nlookup = 'main'").lookup, 254u);
  EXPECT_EQ(OnlyRule("[[rule]]\nlookup = 'main'\napply = 'bind'").apply, Apply::kBind);
}

TEST(PolicySource, IsAnAddressAnInterfaceOrOneAddressAFamily) {
  const auto sources = [](const char *value) {
    return OnlyRule(absl::StrCat("[[rule]]\nsource = ", value)).sources;
  };
  EXPECT_THAT(sources("'10.1.0.1'"), ElementsAre(Source(Address("10.1.0.1"))));
  EXPECT_THAT(sources("'dev eth1'"), ElementsAre(Source(DeviceSource{"eth1"})));
  EXPECT_THAT(sources("['10.1.0.1', 'fd00:1::1']"),
              ElementsAre(Source(Address("10.1.0.1")), Source(Address("fd00:1::1"))));
}

TEST(PolicySource, IsAPool) {
  const PolicyRule rule = OnlyRule(
      "[[rule]]\nsource = 'pool wan2'\n"
      "[pool.wan2]\nmembers = [{source = '10.1.0.2', weight = 3}, '10.1.0.3', 'dev eth1',\n"
      "  'kernel', {source = 'kernel', weight = 1000}]\n");
  EXPECT_THAT(rule.sources, IsEmpty());
  ASSERT_NE(rule.pool, nullptr);
  EXPECT_EQ(*rule.pool, (Pool{"wan2",
                              {{Address("10.1.0.2"), 3},
                               {Address("10.1.0.3"), 1},
                               {DeviceSource{"eth1"}, 1},
                               {std::nullopt, 1},
                               {std::nullopt, 1000}},
                              Pick::kHash}));
}

TEST(PolicyPool, IsPickedFromInThreeWays) {
  const auto pick = [](const char *word) {
    return OnlyRule(absl::StrCat("[[rule]]\nsource = 'pool a'\n[pool.a]\nmembers = ['10.0.0.1']\n",
                                 "pick = '", word, "'"))
        .pool->pick;
  };
  EXPECT_EQ(pick("hash"), Pick::kHash);
  EXPECT_EQ(pick("random"), Pick::kRandom);
  EXPECT_EQ(pick("round-robin"), Pick::kRoundRobin);
}

TEST(PolicyPorts, AreOneRange) {
  EXPECT_EQ(OnlyRule("[[rule]]\nports = '20000-29999'").ports, (Range16{20000, 29999}));
  EXPECT_EQ(OnlyRule("[[rule]]\nports = 4000").ports, (Range16{4000, 4000}));
}

TEST(PolicyOnFail, IsKernelOrReject) {
  EXPECT_EQ(RuleWith("").on_fail, OnFail::kKernel);
  EXPECT_EQ(RuleWith("on-fail = 'kernel'").on_fail, OnFail::kKernel);
  EXPECT_EQ(RuleWith("on-fail = 'reject'").on_fail, OnFail::kReject);
}

TEST(PolicyRuleOfFile, IsNamedByItsPlaceAndHoldsForAllByDefault) {
  const PolicyFile file = ReadPolicyText(
      "# two rules\n[[rule]]\ndport=1\nmark=1\n\n[[rule]]\nmark=2", "/etc/srcsel/srcsel.toml");
  ASSERT_EQ(file.policy.rules.size(), 2u);
  EXPECT_EQ(file.policy.rules[0].name, "/etc/srcsel/srcsel.toml:2");
  PolicyRule second;
  second.name = "/etc/srcsel/srcsel.toml:6";
  second.mark = Mark{2};
  EXPECT_EQ(file.policy.rules[1], second);
}

}  // namespace
}  // namespace srcsel
