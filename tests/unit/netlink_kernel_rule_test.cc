// Rules as `ip rule add` asked the kernel for them, against what is read back.

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <functional>
#include <tuple>

#include "netlink_netns.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kPref = 100;

// What `ip rule add pref 100 ... table 100` makes when nothing else is said.
Rule Plain(int family) {
  Rule rule;
  rule.family = family;
  rule.from = rule.to = Prefix::Default(family);
  rule.pref = kPref;
  rule.table = 100;
  return rule;
}

class KernelRules : public NetnsTest {
 protected:
  static std::vector<Rule> ReadOurs(int family) {
    std::vector<Rule> ours;
    for (const Rule &rule : Read().rules)
      if (rule.pref == kPref && rule.family == family) ours.push_back(rule);
    return ours;
  }

  // Adds the rule of these words, expects `change` on top of a plain rule, and takes it away.
  static void Expect(int family, const std::string &words,
                     const std::function<void(Rule &)> &change) {
    const std::string ip = family == AF_INET ? "-4 rule " : "-6 rule ";
    Ip(absl::StrCat(ip, "add pref 100 ", words));
    Rule expected = Plain(family);
    change(expected);
    const std::vector<Rule> ours = ReadOurs(family);
    ASSERT_EQ(ours.size(), 1u) << words;
    EXPECT_EQ(ours[0], expected) << ip << words;
    Ip(absl::StrCat(ip, "del pref 100"));
  }
  static void ExpectBoth(const std::string &words, const std::function<void(Rule &)> &change) {
    for (int family : {AF_INET, AF_INET6}) Expect(family, words, change);
  }

  // The same for selectors that this host's iproute2 may not know.
  static void ExpectByHand(int family, const AttributeBytes &attributes,
                           const std::function<void(Rule &)> &change) {
    fib_rule_hdr header{};
    header.family = static_cast<std::uint8_t>(family);
    header.action = FR_ACT_TO_TBL;
    Create(Message(RTM_NEWRULE, header,
                   AttributeBytes(attributes)
                       .Put<std::uint32_t>(FRA_PRIORITY, kPref)
                       .Put<std::uint32_t>(FRA_TABLE, 100)));
    Rule expected = Plain(family);
    change(expected);
    EXPECT_EQ(ReadOurs(family), std::vector<Rule>{expected});
    Ip(absl::StrCat(family == AF_INET ? "-4" : "-6", " rule del pref 100"));
  }
};

TEST_F(KernelRules, OfTheKernelItself) {
  std::vector<std::tuple<int, std::uint32_t, std::uint32_t>> rules;
  for (const Rule &rule : Read().rules) rules.emplace_back(rule.family, rule.pref, rule.table);
  const std::vector<std::tuple<int, std::uint32_t, std::uint32_t>> expected = {
      {AF_INET, 0, 255},  {AF_INET, 32766, 254},  {AF_INET, 32767, 253},
      {AF_INET6, 0, 255}, {AF_INET6, 32766, 254},
  };
  EXPECT_EQ(rules, expected);
}

TEST_F(KernelRules, Selectors) {
  MakeDevices();
  ExpectBoth("table 100", [](Rule &) {});
  ExpectBoth("not fwmark 5 table 100",
             [](Rule &r) { r.flags = FIB_RULE_INVERT, r.mark = 5, r.mark_mask = 0xffffffff; });
  ExpectBoth("fwmark 0x64/0xff table 100", [](Rule &r) { r.mark = 0x64, r.mark_mask = 0xff; });
  ExpectBoth("fwmark 0/0xff table 100", [](Rule &r) { r.mark_mask = 0xff; });
  ExpectBoth("iif v0 table 100", [](Rule &r) { r.iif = "v0"; });
  ExpectBoth("oif none0 table 100",
             [](Rule &r) { r.oif = "none0", r.flags = FIB_RULE_OIF_DETACHED; });
  ExpectBoth("uidrange 1000-1999 table 100", [](Rule &r) { r.uids = Range32{1000, 1999}; });
  ExpectBoth("uidrange 0-0 table 100", [](Rule &r) { r.uids = Range32{0, 0}; });
  ExpectBoth("ipproto tcp table 100", [](Rule &r) { r.proto = IPPROTO_TCP; });
  ExpectBoth("ipproto udp sport 53 table 100", [](Rule &r) {
    r.proto = IPPROTO_UDP, r.sports = Range16{53, 53};
  });
  ExpectBoth("dport 8000-8099 table 100", [](Rule &r) { r.dports = Range16{8000, 8099}; });
  ExpectBoth("tos 0x10 table 100", [](Rule &r) { r.tos = 0x10; });
  ExpectBoth("tun_id 77 table 100", [](Rule &r) { r.tun_id = 77; });
  ExpectBoth("l3mdev", [](Rule &r) { r.l3mdev = true, r.table = 0; });
}

TEST_F(KernelRules, Prefixes) {
  Expect(AF_INET, "from 10.0.0.5/8 to 203.0.113.0/24 table 100", [](Rule &r) {
    r.from = *Prefix::Parse("10.0.0.5/8"), r.to = *Prefix::Parse("203.0.113.0/24");
  });
  Expect(AF_INET6, "from fd00::/8 to 2001:db8::1 table 100", [](Rule &r) {
    r.from = *Prefix::Parse("fd00::/8"), r.to = *Prefix::Parse("2001:db8::1/128");
  });
}

TEST_F(KernelRules, Actions) {
  const auto act = [](std::uint8_t action) {
    return [=](Rule &r) { r.action = action, r.table = 0; };
  };
  ExpectBoth("blackhole", act(FR_ACT_BLACKHOLE));
  ExpectBoth("unreachable", act(FR_ACT_UNREACHABLE));
  ExpectBoth("prohibit", act(FR_ACT_PROHIBIT));
  ExpectBoth("nop", act(FR_ACT_NOP));
  ExpectBoth("goto 32766",
             [](Rule &r) { r.action = FR_ACT_GOTO, r.goto_pref = 32766, r.table = 0; });
  ExpectBoth("goto 200", [](Rule &r) {
    r.action = FR_ACT_GOTO, r.goto_pref = 200, r.table = 0, r.flags = FIB_RULE_UNRESOLVED;
  });
}

TEST_F(KernelRules, TablesAndSuppressors) {
  ExpectBoth("table 100000", [](Rule &r) { r.table = 100000; });
  ExpectBoth("table 4294967295", [](Rule &r) { r.table = 0xffffffff; });
  ExpectBoth("table main suppress_prefixlength 0",
             [](Rule &r) { r.table = RT_TABLE_MAIN, r.suppress_plen = 0; });
  ExpectBoth("table 100 suppress_ifgroup 7", [](Rule &r) { r.suppress_group = 7; });
  ExpectBoth("table 100 suppress_ifgroup 0", [](Rule &r) { r.suppress_group = 0; });
  ExpectBoth("table 100 protocol static", [](Rule &r) { r.protocol = RTPROT_STATIC; });
  Expect(AF_INET, "table 100 realms 3", [](Rule &r) { r.realm = 3; });
}

TEST_F(KernelRules, KeepTheOrderOfEvaluation) {
  for (const char *table : {"3", "1", "2"}) Ip(absl::StrCat("rule add pref 100 table ", table));
  Ip("rule add pref 99 table 9");
  std::vector<std::uint32_t> tables;
  for (const Rule &rule : Read().rules)
    if (rule.family == AF_INET) tables.push_back(rule.table);
  EXPECT_EQ(tables, (std::vector<std::uint32_t>{255, 9, 3, 1, 2, 254, 253}));
}

TEST_F(KernelRules, SelectorsOfLinux615) {
  if (!KernelIsAtLeast(6, 15)) GTEST_SKIP() << "this kernel lacks them";

  using A = AttributeBytes;
  for (int family : {AF_INET, AF_INET6}) {
    const auto expect = [&](const A &attributes, const std::function<void(Rule &)> &change) {
      ExpectByHand(family, attributes, change);
    };
    expect(A().Put<std::uint8_t>(25, 0), [](Rule &r) { r.dscp = 0; });
    expect(A().Put<std::uint8_t>(25, 0x3f), [](Rule &r) { r.dscp = 0x3f; });
    expect(A().Put<std::uint8_t>(25, 0x28).Put<std::uint8_t>(30, 0x38),
           [](Rule &r) { r.dscp = 0x28, r.dscp_mask = 0x38; });
    expect(
        A().Put(FRA_SPORT_RANGE, fib_rule_port_range{0x100, 0x100}).Put<std::uint16_t>(28, 0xff00),
        [](Rule &r) {
          r.sports = Range16{0x100, 0x100}, r.sport_mask = 0xff00;
        });
    expect(
        A().Put(FRA_DPORT_RANGE, fib_rule_port_range{0x1bb, 0x1bb}).Put<std::uint16_t>(29, 0xffff),
        [](Rule &r) {
          r.dports = Range16{0x1bb, 0x1bb};
        });
  }
  const auto label = A().Put<std::uint32_t>(26, htonl(0x12300));
  ExpectByHand(AF_INET6, A(label).Put<std::uint32_t>(27, htonl(0xfffff)),
               [](Rule &r) { r.flow_label = 0x12300; });
  ExpectByHand(AF_INET6, A(label).Put<std::uint32_t>(27, htonl(0xfff00)),
               [](Rule &r) { r.flow_label = 0x12300, r.flow_label_mask = 0xfff00; });
}

}  // namespace
}  // namespace srcsel
