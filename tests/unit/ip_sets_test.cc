// What ipset saves, and rules of iptables that look into it.

#include "netfilter/ip_sets.hh"

#include <netinet/in.h>

#include <string>

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "netfilter/evaluate.hh"
#include "netfilter/iptables_rules.hh"

namespace srcsel {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

NfOutcome OutcomeOf(const std::string &match, const std::string &to, std::uint16_t dport = 443,
                    std::uint8_t proto = IPPROTO_TCP) {
  IpSets sets({{"a",
                "create a hash:ip family inet hashsize 1024 maxelem 65536 timeout 9\n"
                "add a 10.0.0.1 timeout 7 comment \"x\"\nadd a 10.0.0.9 timeout 3\n"},
               {"n", "create n hash:net family inet\nadd n 10.1.0.0/16\n"},
               {"p",
                "create p hash:ip,port family inet\nadd p 10.0.0.1,tcp:443\n"
                "add p 10.0.0.2,udp:53\n"},
               {"w", "create w hash:ip family inet netmask 24\nadd w 10.0.3.0\n"},
               {"six", "create six hash:ip family inet6\nadd six 2001:db8::1\n"},
               {"ports", "create ports bitmap:port range 0-65535\nadd ports 443\n"},
               {"l", "create l list:set size 8\nadd l a\nadd l n\nadd l six\n"},
               {"except",
                "create except hash:net family inet\nadd except 10.0.0.0/8\n"
                "add except 10.2.0.0/16 nomatch\n"},
               {"macs", "create macs hash:mac\nadd macs 00:00:5e:00:53:01\n"},
               {"lost", ""}});
  NfRuleSet rules;
  AddIptablesRules(absl::StrCat("*mangle\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m set ", match,
                                " -j MARK --set-mark 1\nCOMMIT\n"),
                   NfOrigin::kIptablesNft, AF_INET, sets, rules);
  NfFlow flow;
  flow.destination = *IpAddress::Parse(to);
  flow.source = *IpAddress::Parse("10.0.0.9");
  flow.proto = proto;
  flow.dport = dport;
  return Evaluate(rules, flow);
}

std::uint32_t MarkOf(const std::string &match, const std::string &to, std::uint16_t dport = 443,
                     std::uint8_t proto = IPPROTO_TCP) {
  const NfOutcome outcome = OutcomeOf(match, to, dport, proto);
  EXPECT_THAT(outcome.unknown, IsEmpty()) << match;
  return outcome.mark;
}

TEST(IpSets, HoldAddresses) {
  EXPECT_EQ(MarkOf("--match-set a dst", "10.0.0.1"), 1u);
  EXPECT_EQ(MarkOf("--match-set a dst", "10.0.0.2"), 0u);
  EXPECT_EQ(MarkOf("! --match-set a dst", "10.0.0.2"), 1u);
  EXPECT_EQ(MarkOf("--match-set a src", "10.0.0.2"), 1u);
  EXPECT_EQ(MarkOf("--match-set n dst", "10.1.2.3"), 1u);
  EXPECT_EQ(MarkOf("--match-set w dst", "10.0.3.77"), 1u);
  EXPECT_EQ(MarkOf("--match-set w dst", "10.0.4.77"), 0u);
}

TEST(IpSets, HoldPortsWithTheirProtocol) {
  EXPECT_EQ(MarkOf("--match-set p dst,dst", "10.0.0.1"), 1u);
  EXPECT_EQ(MarkOf("--match-set p dst,dst", "10.0.0.1", 53), 0u);
  EXPECT_EQ(MarkOf("--match-set p dst,dst", "10.0.0.2", 53), 0u);
  EXPECT_EQ(MarkOf("--match-set p dst,dst", "10.0.0.2", 53, IPPROTO_UDP), 1u);
  EXPECT_EQ(MarkOf("! --match-set p dst,dst", "10.0.0.1", 0, IPPROTO_ICMP), 1u);
  EXPECT_EQ(MarkOf("--match-set ports dst", "10.0.0.1"), 1u);
  EXPECT_EQ(MarkOf("--match-set ports dst", "10.0.0.1", 80), 0u);
}

TEST(IpSets, HoldNothingOfAnotherFamilyOrWithTooFewDirections) {
  EXPECT_EQ(MarkOf("--match-set six dst", "10.0.0.1"), 0u);
  EXPECT_EQ(MarkOf("! --match-set six dst", "10.0.0.1"), 1u);
  EXPECT_EQ(MarkOf("--match-set p dst", "10.0.0.1"), 0u);
  EXPECT_EQ(MarkOf("--match-set a dst,dst", "10.0.0.1"), 1u);
}

TEST(IpSets, OfSetsHoldWhatAnyOfThemDoes) {
  EXPECT_EQ(MarkOf("--match-set l dst", "10.0.0.1"), 1u);
  EXPECT_EQ(MarkOf("--match-set l dst", "10.1.9.9"), 1u);
  EXPECT_EQ(MarkOf("--match-set l dst", "10.9.9.9"), 0u);
}

TEST(IpSets, WhatIsNotUnderstoodIsNamed) {
  EXPECT_THAT(OutcomeOf("--match-set except dst", "10.0.0.1").unknown, HasSubstr("nomatch"));
  EXPECT_THAT(OutcomeOf("--match-set macs dst", "10.0.0.1").unknown, HasSubstr("hash:mac"));
  EXPECT_THAT(OutcomeOf("--match-set lost dst", "10.0.0.1").unknown,
              HasSubstr("set lost is no set"));
  EXPECT_THAT(OutcomeOf("--match-set a dst --packets-gt 3", "10.0.0.1").unknown,
              HasSubstr("--packets-gt"));
}

// What is timed and counted in an entry is no change.
TEST(IpSets, AreToldApartByTheirEntries) {
  const auto digest = [](const char *entries) {
    return ParseIpSet(absl::StrCat("create a hash:ip family inet timeout 9\n", entries)).digest;
  };
  EXPECT_EQ(digest("add a 10.0.0.1 timeout 7\n"), digest("add a 10.0.0.1 timeout 6\n"));
  EXPECT_NE(digest("add a 10.0.0.1\n"), digest("add a 10.0.0.2\n"));
  EXPECT_NE(digest("add a 10.0.0.1\n"), digest(""));
}

}  // namespace
}  // namespace srcsel
