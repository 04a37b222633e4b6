// Netfilter rules as text -> what they make of flows. That the kernel does the same is for
// tests/differential/netfilter.

#include <netinet/in.h>

#include <string>

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "netfilter/compile_marks.hh"
#include "netfilter/evaluate.hh"
#include "netfilter/iptables_rules.hh"
#include "netfilter/nft_rules.hh"
#include "netfilter/numbers.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

NfRuleSet Mangle(const std::string &lines, IpSets sets = {}) {
  NfRuleSet rules;
  AddIptablesRules(absl::StrCat("*mangle\n:OUTPUT ACCEPT [0:0]\n:c - [0:0]\n", lines, "COMMIT\n"),
                   NfOrigin::kIptablesNft, AF_INET, sets, rules);
  return rules;
}

NfRuleSet NatOutput(const std::string &lines) {
  NfRuleSet rules;
  IpSets sets;
  AddIptablesRules(absl::StrCat("*nat\n:OUTPUT ACCEPT [0:0]\n:c - [0:0]\n", lines, "COMMIT\n"),
                   NfOrigin::kIptablesNft, AF_INET, sets, rules);
  return rules;
}

// One table inet t, its output chain of this type.
NfRuleSet Nft(const std::string &type, const std::string &rules, const std::string &sets = "") {
  NfRuleSet out;
  std::string json = absl::StrCat(
      R"({"nftables":[{"table":{"family":"inet","name":"t"}},)", sets,
      R"({"chain":{"family":"inet","table":"t","name":"o","handle":1,"type":")", type,
      R"(","hook":"output","prio":-150,"policy":"accept"}},)",
      R"({"rule":{"family":"inet","table":"t","chain":"o","handle":2,"expr":[)", rules, "]}}]}");
  const absl::Status status = AddNftRules(json, {}, out);
  EXPECT_TRUE(status.ok()) << status;
  return out;
}

constexpr char kMark7[] = R"({"mangle":{"key":{"meta":{"key":"mark"}},"value":7}})";

NfFlow NfFlowTo(const char *address, std::uint32_t mark = 0) {
  NfFlow flow;
  flow.destination = *IpAddress::Parse(address);
  flow.dport = 443;
  flow.mark = mark;
  return flow;
}

PolicyRule OnlyRule(const NfRuleSet &rules) {
  const MarkPolicy policy = CompileMarks(rules, SRCSEL_MAX_POLICY);
  EXPECT_EQ(policy.rules.size(), 1u);
  return policy.rules.empty() ? PolicyRule() : policy.rules.front();
}

TEST(Netfilter, OnlyChainsThatRouteAgainMatter) {
  const NfRuleSet route = Nft("route", kMark7), filter = Nft("filter", kMark7);
  EXPECT_EQ(Evaluate(route, NfFlowTo("10.0.0.1")).routed, 7u);
  EXPECT_EQ(Evaluate(filter, NfFlowTo("10.0.0.1")).routed, 0u);
  EXPECT_EQ(Evaluate(filter, NfFlowTo("10.0.0.1")).mark, 7u);
  EXPECT_THAT(OnlyRule(route).mark, testing::Optional(Mark{7, 0xffffffff}));
  EXPECT_THAT(CompileMarks(filter, SRCSEL_MAX_POLICY).rules, IsEmpty());
}

TEST(Netfilter, SetsTheMarkOnlyWhereTheRulesThenEndAlike) {
  EXPECT_EQ(OnlyRule(Mangle("-A OUTPUT -d 10.0.0.0/8 -j MARK --set-xmark 0x1/0xff\n")).apply,
            Apply::kMark);
  const MarkPolicy turned = CompileMarks(Mangle("-A OUTPUT -j MARK --xor-mark 0x1\n"), 9);
  ASSERT_EQ(turned.rules.size(), 2u);
  EXPECT_EQ(turned.rules[0].apply, Apply::kBind);
  EXPECT_THAT(turned.rules[0].marks, ElementsAre(Mark{0, 1}));
  EXPECT_TRUE(turned.rules[1].leave);
  EXPECT_THAT(turned.rules[1].name, HasSubstr("turns bits"));
  const MarkPolicy tested = CompileMarks(
      Mangle("-A OUTPUT -m mark --mark 0x1 -j DROP\n-A OUTPUT -j MARK --set-mark 0x1\n"), 9);
  ASSERT_EQ(tested.rules.size(), 2u);
  EXPECT_TRUE(tested.rules[0].leave) << "it is dropped";
  EXPECT_EQ(tested.rules[1].apply, Apply::kBind);
}

// The mark of a later rule, on the socket before, would let it pass.
TEST(Netfilter, WhatIsDroppedIsNotMarked) {
  const MarkPolicy policy = CompileMarks(
      Mangle("-A OUTPUT -p udp -m mark --mark 0x0 -j DROP\n-A OUTPUT -j MARK --set-mark 0x1\n"), 9);
  ASSERT_EQ(policy.rules.size(), 2u);
  EXPECT_TRUE(policy.rules[0].leave);
  EXPECT_THAT(policy.rules[0].protos, ElementsAre(IPPROTO_UDP));
  EXPECT_THAT(policy.rules[0].marks, ElementsAre(Mark{0, 0xffffffff}));
  EXPECT_THAT(policy.not_understood, IsEmpty());
}

TEST(Netfilter, WhatIsNotAMatchNeedsNoRuleOfItsOwn) {
  const MarkPolicy policy = CompileMarks(
      Mangle("-A OUTPUT ! -d 10.0.0.0/8 -p tcp -m tcp --dport 443 -j MARK --set-mark 0x2\n"), 9);
  ASSERT_EQ(policy.rules.size(), 2u);
  EXPECT_TRUE(policy.rules[0].leave);
  EXPECT_THAT(policy.rules[0].to, ElementsAre(*Prefix::Parse("10.0.0.0/8")));
  EXPECT_EQ(policy.rules[1].mark, (Mark{2, 0xffffffff}));
}

TEST(Netfilter, AMatchOfATosIsDecidedForPacketsWithoutOne) {
  const NfRuleSet rules = Mangle(
      "-A OUTPUT -d 10.0.0.0/8 -m dscp ! --dscp 0x2e -j MARK --set-mark 0x1\n"
      "-A OUTPUT -d 11.0.0.0/8 -m tos --tos 0x10/0x3f -j MARK --set-mark 0x2\n"
      "-A OUTPUT -d 12.0.0.0/8 -j MARK --set-mark 0x3\n");
  const MarkPolicy policy = CompileMarks(rules, 9);
  ASSERT_EQ(policy.rules.size(), 3u);
  EXPECT_EQ(policy.rules[0].mark, (Mark{1, 0xffffffff}));
  EXPECT_TRUE(policy.rules[0].plain_tos);
  EXPECT_TRUE(policy.rules[1].leave);
  EXPECT_TRUE(policy.rules[1].plain_tos);
  EXPECT_EQ(policy.rules[2].mark, (Mark{3, 0xffffffff}));
  EXPECT_FALSE(policy.rules[2].plain_tos);
  EXPECT_THAT(policy.by_tos, ElementsAre(HasSubstr("--dscp 0x2e"), HasSubstr("--tos 0x10/0x3f")));
  EXPECT_THAT(policy.not_understood, IsEmpty());
  // A file cannot say so.
  const MarkPolicy file = CompileMarksForFile(rules, 9);
  ASSERT_EQ(file.rules.size(), 3u);
  EXPECT_TRUE(file.rules[0].leave && file.rules[1].leave && file.rules[2].mark);
  EXPECT_THAT(file.not_understood, testing::Each(HasSubstr("looks at dscp or tos")));
}

// The two bits of ECN, which UDP sockets set by themselves, are not seen: so no rule hangs on them.
TEST(Netfilter, WhatTellsApartWhatDscpDoesNotIsUnknown) {
  const NfRuleSet rules = Mangle(
      "-A OUTPUT -d 10.0.0.0/8 -m tos --tos 0x00/0xff -j MARK --set-mark 0x1\n"
      "-A OUTPUT -d 11.0.0.0/8 -m tos --tos 0x00/0xfc -j MARK --set-mark 0x2\n");
  const MarkPolicy policy = CompileMarks(rules, 9);
  ASSERT_EQ(policy.rules.size(), 2u);
  EXPECT_TRUE(policy.rules[0].leave);
  EXPECT_THAT(policy.not_understood, ElementsAre(HasSubstr("the two bits of a tos")));
  EXPECT_TRUE(policy.rules[1].plain_tos);
  EXPECT_EQ(policy.rules[1].mark, (Mark{2, 0xffffffff}));
}

TEST(Netfilter, AClassOfNetClsSelectsLikeAnOwner) {
  const auto expect = [](const NfRuleSet &rules, const std::string &what) {
    SCOPED_TRACE(what);
    const MarkPolicy policy = CompileMarks(rules, 9);
    ASSERT_EQ(policy.rules.size(), 1u);
    EXPECT_THAT(policy.rules[0].classids, ElementsAre(Range32{0x10001, 0x10001}));
    EXPECT_EQ(policy.rules[0].mark, (Mark{7, 0xffffffff}));
    EXPECT_THAT(policy.not_understood, IsEmpty());
    NfFlow flow = NfFlowTo("10.0.0.1");
    EXPECT_EQ(Evaluate(rules, flow).routed, 0u);
    flow.classid = 0x10001;
    EXPECT_EQ(Evaluate(rules, flow).routed, 7u);
    flow.classid = std::nullopt;
    EXPECT_THAT(Evaluate(rules, flow).unknown, Not(IsEmpty()));
  };
  expect(Mangle("-A OUTPUT -m cgroup --cgroup 65537 -j MARK --set-xmark 0x7/0xffffffff\n"),
         "iptables");
  expect(Nft("route", absl::StrCat(R"({"match":{"op":"==","left":{"meta":{"key":"cgroup"}},)",
                                   R"("right":65537}},)", kMark7)),
         "nft");
  const MarkPolicy but = CompileMarks(
      Mangle("-A OUTPUT -m cgroup ! --cgroup 65537 -m cgroup ! --cgroup 0 -j MARK --set-mark 7\n"),
      9);
  ASSERT_EQ(but.rules.size(), 3u);
  EXPECT_TRUE(but.rules[0].leave && but.rules[1].leave);
  EXPECT_THAT(but.rules[0].classids, ElementsAre(Range32{0x10001, 0x10001}));
  EXPECT_THAT(but.rules[1].classids, ElementsAre(Range32{0, 0}));
  EXPECT_THAT(but.rules[2].classids, IsEmpty());
}

TEST(Netfilter, ATosMattersOnlyToRulesThatDoSomething) {
  const MarkPolicy policy = CompileMarks(Mangle("-A OUTPUT -m tos --tos 0x20/0xe0 -j LOG\n"
                                                "-A OUTPUT -p tcp -j MARK --set-mark 0x1\n"),
                                         9);
  ASSERT_EQ(policy.rules.size(), 1u);
  EXPECT_FALSE(policy.rules[0].plain_tos);
  EXPECT_THAT(policy.by_tos, IsEmpty());
}

TEST(Netfilter, AChainThatOnlyReturnsDoesNotMatter) {
  const MarkPolicy policy = CompileMarks(Mangle(":QOS - [0:0]\n"
                                                "-A OUTPUT -j QOS\n"
                                                "-A QOS -m dscp --dscp 0x2e -j RETURN\n"
                                                "-A QOS -m limit --limit 5/min -j RETURN\n"
                                                "-A QOS -j LOG\n"
                                                "-A OUTPUT -p tcp -j MARK --set-mark 0x1\n"),
                                         9);
  ASSERT_EQ(policy.rules.size(), 1u);
  EXPECT_FALSE(policy.rules[0].plain_tos);
  EXPECT_FALSE(policy.rules[0].leave);
}

TEST(Netfilter, UnknownOnlyWhereItMatters) {
  const NfRuleSet log = Mangle("-A OUTPUT -m limit --limit 5/min -j LOG\n");
  EXPECT_EQ(Evaluate(log, NfFlowTo("10.0.0.1")).unknown, "");
  EXPECT_THAT(CompileMarks(log, 9).rules, IsEmpty());
  const NfRuleSet mark =
      Mangle("-A OUTPUT -d 10.0.0.0/8 -m limit --limit 5/min -j MARK --set-mark 0x1\n");
  EXPECT_THAT(Evaluate(mark, NfFlowTo("10.0.0.1")).unknown, HasSubstr("-m limit --limit 5/min"));
  EXPECT_EQ(Evaluate(mark, NfFlowTo("11.0.0.1")).unknown, "");
  const PolicyRule left = OnlyRule(mark);
  EXPECT_TRUE(left.leave);
  EXPECT_THAT(left.to, ElementsAre(*Prefix::Parse("10.0.0.0/8")));
  EXPECT_THAT(left.name, HasSubstr("-m limit --limit 5/min"));
}

// Both ways to look at rules say so, and name the rule.
void ExpectUnknown(const NfRuleSet &rules, const std::string &words) {
  EXPECT_THAT(Evaluate(rules, NfFlowTo("10.0.0.1")).unknown, HasSubstr(words));
  const MarkPolicy policy = CompileMarks(rules, 9);
  EXPECT_THAT(policy.not_understood, testing::Contains(HasSubstr(words)));
  EXPECT_THAT(policy.rules, testing::Each(testing::Field(&PolicyRule::leave, true)));
}

TEST(Netfilter, RewrittenHeadersAreUnknown) {
  for (const char *target :
       {"DSCP --set-dscp 0x08", "NFQUEUE --queue-num 0", "HMARK --hmark-mod 2"})
    ExpectUnknown(Mangle(absl::StrCat("-A OUTPUT -j ", target, "\n")), target);
  for (const char *target : {"DNAT --to-destination 10.0.0.9", "REDIRECT --to-ports 8080"})
    ExpectUnknown(NatOutput(absl::StrCat("-A OUTPUT -j ", target, "\n")), target);
  ExpectUnknown(Nft("nat", R"({"dnat":{"family":"ip","addr":"10.0.0.9"}})"), "dnat");
  ExpectUnknown(Nft("nat", R"({"redirect":{"port":8080}})"), "redirect");
  for (const char *field : {"daddr", "dscp"})
    ExpectUnknown(
        Nft("route", absl::StrCat(R"({"mangle":{"key":{"payload":{"protocol":"ip","field":")",
                                  field, R"("}},"value":"10.0.0.9"}})")),
        field);
}

// What docker has on each of its hosts is for addresses of the host's own alone.
TEST(Netfilter, DestinationsRewrittenOfTheHostsOwnAddressesLeaveTheRestKnown) {
  NfRuleSet rules = NatOutput(
      "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j c\n"
      "-A c -p tcp -m tcp --dport 443 -j DNAT --to-destination 172.17.0.2:443\n");
  IpSets sets;
  AddIptablesRules("*mangle\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j MARK --set-mark 0x1\nCOMMIT\n",
                   NfOrigin::kIptablesNft, AF_INET, sets, rules);
  EXPECT_EQ(Evaluate(rules, NfFlowTo("10.0.0.1")).unknown, "");
  EXPECT_EQ(Evaluate(rules, NfFlowTo("10.0.0.1")).routed, 1u);
  EXPECT_EQ(OnlyRule(rules).mark, (Mark{1, 0xffffffff}));
}

std::string NftCgroup(const std::string &level, const std::string &right,
                      const std::string &op = "==") {
  return absl::StrCat(R"({"match":{"op":")", op, R"(","left":{"socket":{"key":"cgroupv2")", level,
                      R"(}},"right":)", right, "}},", kMark7);
}

// Nft prints a cgroup as a number when it finds it no more. The level is not that of any.
TEST(Netfilter, ACgroupThatIsGoneHoldsForNobody) {
  for (const char *id : {"4611686018427392615", R"("4611686018427392615")"}) {
    const NfRuleSet rules = Nft("route", NftCgroup(R"(,"level":250)", id));
    EXPECT_EQ(Evaluate(rules, NfFlowTo("10.0.0.1")).routed, 0u);
    EXPECT_THAT(CompileMarks(rules, 9).rules,
                testing::Each(testing::Field(&PolicyRule::mark, std::nullopt)));
  }
}

TEST(Netfilter, ACgroupWhoseLevelIsNotKnownOrOthersIsNotUnderstood) {
  ExpectUnknown(Nft("route", NftCgroup("", "\"\"")), "cgroupv2");
  ExpectUnknown(Nft("route", NftCgroup(R"(,"level":1)", "\"no such thing\"")), "no such thing");
  ExpectUnknown(Nft("route", NftCgroup(R"(,"level":1)", "4611686018427392615", "!=")), "cgroupv2");
}

TEST(Netfilter, ALineThatIsNoneMakesItsTableUnknown) {
  NfRuleSet rules = Mangle("-A OUTPUT -j MARK --set-mark 0x1\n-A OUTPUT \"-d\n");
  EXPECT_THAT(rules.skipped, ElementsAre(HasSubstr("line 5 is not understood: -A OUTPUT \"-d")));
  EXPECT_THAT(Evaluate(rules, NfFlowTo("10.0.0.1")).unknown, HasSubstr("line 5"));
  EXPECT_TRUE(OnlyRule(rules).leave);
  rules = {};
  IpSets sets;
  AddIptablesRules("*mangle\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j MA", NfOrigin::kIptablesLegacy,
                   AF_INET, sets, rules);
  EXPECT_THAT(Evaluate(rules, NfFlowTo("10.0.0.1")).unknown, HasSubstr("cut off"));
}

TEST(Netfilter, AChainThatLeadsBackEndsNowhere) {
  EXPECT_THAT(Evaluate(Mangle("-A OUTPUT -j c\n-A c -j c\n"), NfFlowTo("10.0.0.1")).unknown,
              HasSubstr("leads back"));
}

TEST(Netfilter, NftJsonThatIsNoneIsAnError) {
  NfRuleSet rules;
  EXPECT_EQ(AddNftRules("{\"nftables\": [", {}, rules).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(AddNftRules("{}", {}, rules).code(), absl::StatusCode::kInvalidArgument);
}

TEST(Netfilter, ASetStaysASet) {
  std::string elements;
  for (int i = 0; i < 1000; ++i)
    absl::StrAppend(&elements, i == 0 ? "" : ",", R"({"prefix":{"addr":"10.)", i / 250, ".",
                    i % 250, R"(.0","len":24}})");
  const NfRuleSet rules = Nft(
      "route",
      absl::StrCat(R"({"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"daddr"}},)",
                   R"("right":"@s"}},)", kMark7),
      absl::StrCat(R"({"set":{"family":"inet","table":"t","name":"s","type":"ipv4_addr","elem":[)",
                   elements, "]}},"));
  const PolicyRule rule = OnlyRule(rules);
  ASSERT_EQ(rule.sets.size(), 1u);
  EXPECT_EQ(rule.sets[0]->name, "s");
  EXPECT_EQ(rule.sets[0]->prefixes.size(), 1000u);
  EXPECT_EQ(Evaluate(rules, NfFlowTo("10.3.9.1")).routed, 7u);
  EXPECT_EQ(Evaluate(rules, NfFlowTo("10.4.0.1")).routed, 0u);
}

TEST(Netfilter, MoreRulesThanFitLeaveTheRestToTheKernel) {
  std::string lines;
  for (int i = 1; i <= 20; ++i)
    absl::StrAppend(&lines, "-A OUTPUT -d 10.0.", i, ".0/24 -j MARK --set-mark ", i, "\n");
  const MarkPolicy policy = CompileMarks(Mangle(lines), 10);
  ASSERT_EQ(policy.rules.size(), 10u);
  EXPECT_TRUE(policy.rules.back().leave);
  EXPECT_THAT(policy.limits, ElementsAre(HasSubstr("20 classes of flows, 10 fit")));
  const MarkPolicy none = CompileMarks(Mangle(lines), 0);
  EXPECT_THAT(none.rules, IsEmpty());
  EXPECT_THAT(none.limits, ElementsAre(HasSubstr("20 classes of flows, 0 fit")));
}

TEST(Numbers, OfARangeOfAddressesAsPrefixes) {
  const auto prefixes = PrefixesOf(*IpAddress::Parse("10.0.0.1"), *IpAddress::Parse("10.0.0.6"));
  std::vector<std::string> words;
  for (const Prefix &prefix : prefixes) words.push_back(prefix.ToString());
  EXPECT_THAT(words, ElementsAre("10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"));
  EXPECT_EQ(PrefixesOf(IpAddress::Any(AF_INET), *IpAddress::Parse("255.255.255.255")).size(), 1u);
}

TEST(Numbers, OfARangeOfMarksAsMasks) {
  EXPECT_THAT(MarksOf({{2, 5}}), ElementsAre(Mark{2, 0xfffffffe}, Mark{4, 0xfffffffe}));
  EXPECT_THAT(MarksOf({{0, 0xffffffff}}), ElementsAre(Mark{0, 0}));
}

TEST(Numbers, IntersectAsSetsDo) {
  const NfPrefixes a =
      MakePrefixes("a", {*Prefix::Parse("10.0.0.0/8"), *Prefix::Parse("11.0.0.0/8")});
  const NfPrefixes b =
      MakePrefixes("b", {*Prefix::Parse("10.1.0.0/16"), *Prefix::Parse("12.0.0.0/8")});
  EXPECT_THAT(Intersection(a, b)->prefixes, ElementsAre(*Prefix::Parse("10.1.0.0/16")));
  EXPECT_EQ(Intersection(a, AllOf(AF_INET)), a);
  EXPECT_THAT(Intersection(a, AllOf(AF_INET6))->prefixes, IsEmpty());
  EXPECT_EQ(Intersection(NfNumbers{{1, 5}, {8, 9}}, NfNumbers{{5, 8}}),
            (NfNumbers{{5, 5}, {8, 8}}));
  EXPECT_EQ(Complement({{1, 5}}, 9), (NfNumbers{{0, 0}, {6, 9}}));
}

}  // namespace
}  // namespace srcsel
