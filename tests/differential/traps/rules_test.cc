// What rules and the tables of a fresh host do.

#include "differential/traps/traps.hh"

namespace srcsel {
namespace {

TEST_F(Traps, T02_FromIsComparedWithZeroInIpv4AndNeverHoldsInIpv6) {
  MakeUplinks();
  Do({"ip -4 rule add pref 10 to 20.0.0.0/8 from 0.0.0.0/1 table 101",
      "ip -4 rule add pref 11 to 21.0.0.0/8 from 10.0.0.0/8 table 101",
      "ip -6 rule add pref 10 to fd20::/32 from ::/1 table 101",
      "ip -6 rule add pref 11 to fd21::/32 from fd00::/16 table 101"});
  EXPECT_EQ(Ask(Udp("20.0.0.1")), "v1 10.1.0.1");
  EXPECT_EQ(Ask(Udp("21.0.0.1")), "v0 10.0.0.1");
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "v1 10.1.0.1");
  EXPECT_EQ(Dial(Udp("fd20::1")), "v0 fd00::1");
  EXPECT_EQ(Dial(Udp("fd21::1")), "v0 fd00::1");
  Flow bound = Udp("fd21::1");
  bound.source = Address("fd00::1");
  EXPECT_EQ(Dial(bound), "v1 fd00::1");
  Do({"ip -4 rule add pref 12 not from 10.0.0.0/8 table 101",
      "ip -6 rule add pref 12 not from fd00::/16 table 101"});
  EXPECT_EQ(Ask(Udp("22.0.0.1")), "v1 10.1.0.1");
  EXPECT_EQ(Dial(Udp("fd22::1")), "v1 fd01::1");
}

TEST_F(Traps, T04_RuleAndRouteFailWithErrorsOfTheirOwn) {
  MakeUplinks();
  std::vector<std::string> commands;
  for (const bool v6 : {false, true}) {
    const char *ip = v6 ? "ip -6 " : "ip -4 ";
    int n = 10;
    for (const char *type : {"unreachable", "blackhole", "prohibit"}) {
      const std::string rules = v6 ? absl::StrCat("fd", n, "::/32") : absl::StrCat(n, ".0.0.0/8");
      const std::string route =
          v6 ? absl::StrCat("fd", n + 10, "::/32") : absl::StrCat(n + 10, ".0.0.0/8");
      commands.push_back(absl::StrCat(ip, "rule add pref ", n, " to ", rules, " ", type));
      commands.push_back(absl::StrCat(ip, "route add ", type, " ", route));
      ++n;
    }
  }
  Do(commands);
  for (const auto &[rule, route] :
       {std::pair("10.2.0.1", "20.0.0.1"), std::pair("fd10::1", "fd20::1")}) {
    EXPECT_EQ(Ask(Udp(rule)), "ENETUNREACH");
    EXPECT_EQ(Dial(Tcp(rule)), "ENETUNREACH");
    EXPECT_EQ(Ask(Udp(route)), "EHOSTUNREACH");
    EXPECT_EQ(Dial(Tcp(route)), "EHOSTUNREACH");
  }
  for (const char *blackhole : {"11.0.0.1", "21.0.0.1", "fd11::1", "fd21::1"})
    EXPECT_EQ(Dial(Tcp(blackhole)), "EINVAL");
  for (const char *prohibit : {"12.0.0.1", "22.0.0.1", "fd12::1", "fd22::1"})
    EXPECT_EQ(Dial(Tcp(prohibit)), "EACCES");
}

TEST_F(Traps, T05_LocalAndMainAreOneUntilTheFirstRule) {
  MakeUplinks();
  Do({"ip -4 route add local 10.9.0.0/16 dev lo", "ip -4 route add 10.9.9.9/32 dev v1"});
  const Flow nested = Udp("10.9.9.9"), beside = Udp("10.9.9.8");
  EXPECT_EQ(DialUnsure(nested, Ambiguity::kMerged), "v1 10.1.0.1");
  EXPECT_EQ(Dial(beside), "lo 10.9.9.8");
  Do({"ip -4 rule add pref 10 to 198.51.100.0/24 prohibit"});
  EXPECT_EQ(Dial(nested), "lo 10.9.9.9");
  // As it was, to all appearance.
  Do({"ip -4 rule del pref 10"});
  EXPECT_EQ(DialUnsure(nested, Ambiguity::kMerged), "lo 10.9.9.9");
}

TEST_F(Traps, T05_DeletedRulesOfIpv6CountUntilTheFirstRule) {
  MakeUplinks();
  Do({"ip -6 rule del pref 32766"});
  EXPECT_EQ(DialUnsure(Udp("2001:db8::1"), Ambiguity::kRules), "v0 fd00::1");
  Do({"ip -6 rule add pref 10 to fd66::/32 prohibit"});
  EXPECT_EQ(Dial(Udp("2001:db8::1")), "ENETUNREACH");
  Do({"ip -6 rule del pref 10"});
  EXPECT_EQ(DialUnsure(Udp("2001:db8::1"), Ambiguity::kRules), "ENETUNREACH");
}

TEST_F(Traps, T06_TosOfIpv4HasThreeBitsAndThatOfIpv6Six) {
  MakeUplinks();
  Do({"ip -4 route add 20.0.0.0/8 tos 0x10 dev v1", "ip -4 route add 21.0.0.0/8 tos 0xb8 dev v1",
      "ip -4 rule add pref 10 to 22.0.0.0/8 tos 0x10 table 101",
      "ip -4 rule add pref 11 to 23.0.0.0/8 dscp 4 table 101",
      "ip -6 rule add pref 10 to fd22::/32 tos 0x10 table 101",
      "ip -6 rule add pref 11 to fd23::/32 tos 0xb8 table 101"});
  const auto with = [](Flow flow, std::uint8_t tos) {
    flow.tos = tos;
    return flow;
  };
  for (const char *three : {"20.0.0.1", "22.0.0.1"}) {
    EXPECT_EQ(Dial(with(Udp(three), 0x10)), "v1 10.1.0.1");
    EXPECT_EQ(Dial(with(Udp(three), 0x50)), "v1 10.1.0.1");
    EXPECT_EQ(Dial(with(Udp(three), 0x18)), "v0 10.0.0.1");
    EXPECT_EQ(Dial(Udp(three)), "v0 10.0.0.1");
  }
  EXPECT_EQ(Dial(with(Udp("21.0.0.1"), 0xb8)), "v0 10.0.0.1");
  EXPECT_EQ(Dial(with(Udp("23.0.0.1"), 0x10)), "v1 10.1.0.1");
  EXPECT_EQ(Dial(with(Udp("23.0.0.1"), 0x50)), "v0 10.0.0.1");
  EXPECT_EQ(Dial(with(Udp("fd22::1"), 0x10)), "v1 fd01::1");
  EXPECT_EQ(Dial(with(Udp("fd22::1"), 0x50)), "v0 fd00::1");
  EXPECT_EQ(Dial(with(Udp("fd23::1"), 0xb8)), "v1 fd01::1");
}

}  // namespace
}  // namespace srcsel
