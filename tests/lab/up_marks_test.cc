// srcsel up without a policy: the sources go with the marks that the host's own firewall gives.

#include <ostream>

#include "lab/net_class.hh"
#include "lab/servers.hh"
#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

struct Tool {
  const char *name;
  Netfilter netfilter;
};
void PrintTo(const Tool &tool, std::ostream *out) {
  *out << tool.name;
}

class UpMarksTest : public UpTest, public testing::WithParamInterface<Tool> {
 protected:
  void SetUp() override {
    UpTest::SetUp();
    ASSERT_TRUE(MarkOutput(lab_, GetParam().netfilter).ok());
  }
  Result UpByMarks(Words options = {}) const {
    options.insert(options.begin(), {"up", "--cgroup", cgroup_.path()});
    return Srcsel(std::move(options));
  }
  static const char *Variant() {
    return GetParam().netfilter == Netfilter::kIptablesLegacy ? "-legacy" : "";
  }
  // Marks what else is chosen by `nft` or, in the other tools' words, by `iptables`; of IPv6 by
  // `ip6tables`, if that says it in others.
  void MarkToo(const std::string &nft, const std::string &iptables,
               const std::string &ip6tables = "") const {
    if (GetParam().netfilter == Netfilter::kNft) {
      ASSERT_TRUE(
          client_.Do(absl::StrCat("nft add rule inet uplinks output ", nft, " meta mark set 100"))
              .ok());
      return;
    }
    for (const std::string program : {"iptables", "ip6tables"})
      ASSERT_TRUE(
          client_
              .Do(absl::StrCat(program, Variant(), " -t mangle -A OUTPUT ",
                               program == "iptables" || ip6tables.empty() ? iptables : ip6tables,
                               " -j MARK --set-mark 100"))
              .ok());
  }
  // Of a TCP connection under the policy. One that began between a change and its effect has the
  // wrong source for its mark, and gets no answer.
  std::string SourceOfTcp(const std::string &server) {
    const std::string url = server.find(':') == std::string::npos ? server : "[" + server + "]";
    const Result curl = Run({"curl", "--silent", "--max-time", "2", "--output", "/dev/null",
                             "--write-out", "%{local_ip}", "http://" + url + "/"});
    return curl.ok() ? curl.out : curl.ToString();
  }

  Nginx nginx_ = Nginx::Start(lab_.host("server"), /*access_log=*/false).value();
};

INSTANTIATE_TEST_SUITE_P(, UpMarksTest,
                         testing::Values(Tool{"Nft", Netfilter::kNft},
                                         Tool{"Iptables", Netfilter::kIptables},
                                         Tool{"IptablesLegacy", Netfilter::kIptablesLegacy}),
                         [](const auto &tool) { return tool.param.name; });

TEST_P(UpMarksTest, SourcesAreRightWithNothingElseChanged) {
  const Result up = UpByMarks();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_EQ(SourceOfTcp(kServer4), kUnicomSource4);
  EXPECT_EQ(SourceOfTcp(kServer6), kUnicomSource6);
  // What is not marked is not touched.
  EXPECT_EQ(Source(), kTelecomSource4);
  EXPECT_THAT(client_.ConntrackEntries().value(), IsEmpty());
}

TEST_P(UpMarksTest, DatagramsAndPingSocketsToo) {
  ASSERT_TRUE(client_.SetSysctl("net.ipv4.ping_group_range", "0 2147483647").ok());
  MarkToo("udp dport 5353", "-p udp --dport 5353");
  MarkToo("meta l4proto { icmp, ipv6-icmp } meta skuid 0", "-m owner --uid-owner 0 -p icmp",
          "-m owner --uid-owner 0 -p ipv6-icmp");
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  EXPECT_THAT(Run({DIAL, "-u", kServer4, "5353"}).out, StartsWith("10.1.0.1 "));
  EXPECT_THAT(Run({DIAL, "-u", kServer6, "5353"}).out, StartsWith("fd00:1::1 "));
  EXPECT_THAT(Run({DIAL, "-I", kServer4, "0"}).out, StartsWith("10.1.0.1 "));
  EXPECT_THAT(Run({DIAL, "-I", kServer6, "0"}).out, StartsWith("fd00:1::1 "));
  // The first datagram of a socket that does not connect.
  Capture capture = client_.StartCapture("eth1").value();
  for (const char *server : {kServer4, kServer6}) {
    const Result sent = Run({DIAL, "-s", server, "5353"});
    ASSERT_TRUE(sent.ok()) << sent.ToString();
    const auto sources = capture.DatagramSources(*IpAddress::Parse(server)).value();
    ASSERT_EQ(sources.size(), 1u);
    EXPECT_EQ(sources[0].address.ToString(), server == kServer4 ? kUnicomSource4 : kUnicomSource6);
  }
  EXPECT_THAT(client_.ConntrackEntries().value(), IsEmpty());
}

TEST_P(UpMarksTest, RulesByTosHoldForSocketsThatSetNone) {
  MarkToo("ip dscp != ef udp dport 5353", "-p udp --dport 5353 -m dscp ! --dscp 46");
  MarkToo("ip dscp { cs0, af11 } udp dport 5454", "-p udp --dport 5454 -m tos --tos 0x00/0xc0");
  MarkToo("ip6 dscp != ef udp dport 5555", "-p udp --dport 5555 -m dscp ! --dscp 46");
  const Result plan = UpByMarks({"--dry-run"});
  EXPECT_THAT(plan.out,
              AllOf(HasSubstr("decides by dscp or tos: sockets that set one of their own"),
                    Not(HasSubstr("looks at dscp"))));
  const Result up = UpByMarks({"-q"});
  ASSERT_TRUE(up.ok()) << up.ToString();
  for (const char *port : {"5353", "5454"}) {
    EXPECT_THAT(Run({DIAL, "-u", kServer4, port}).out, StartsWith("10.1.0.1 "));
    EXPECT_THAT(Run({DIAL, "-u", "-T", "0xb8", kServer4, port}).out, StartsWith("10.0.0.1 "));
    EXPECT_THAT(Run({DIAL, "-u", "-T", "2", kServer4, port}).out, StartsWith("10.1.0.1 ")) << "ECN";
  }
  EXPECT_THAT(Run({DIAL, "-u", "-6", kServer4, "5353"}).out, StartsWith("::ffff:10.1.0.1 "));
  EXPECT_THAT(Run({DIAL, "-u", "-6", "-T", "0xb8", kServer4, "5353"}).out,
              StartsWith("::ffff:10.0.0.1 "));
  EXPECT_THAT(Run({DIAL, "-u", kServer6, "5555"}).out, StartsWith("fd00:1::1 "));
  EXPECT_THAT(Run({DIAL, "-u", "-T", "0xb8", kServer6, "5555"}).out, StartsWith("fd00::1 "));
  const Json counted = Status().at("reasons");
  EXPECT_EQ(counted.at("app-tos"), 4);
  EXPECT_EQ(counted.value("ambiguous", 0), 0);
  // A datagram may have another one than its socket.
  ASSERT_TRUE(Run({DIAL, "-s", kServer4, "5353"}).ok());
  EXPECT_EQ(Status().at("reasons").at("ambiguous"), 1);
}

TEST_P(UpMarksTest, RulesByClassOfNetCls) {
  const absl::StatusOr<NetClass> one = NetClass::Make(0x10001);
  if (!one.ok()) GTEST_SKIP() << one.status();
  ASSERT_TRUE(client_.SetSysctl("net.ipv4.ping_group_range", "0 2147483647").ok());
  MarkToo("meta cgroup { 2, 0x10001 } udp dport 5353",
          "-p udp --dport 5353 -m cgroup --cgroup 65537");
  MarkToo("meta l4proto icmp meta cgroup != 0", "-p 1 -m cgroup ! --cgroup 0");
  EXPECT_THAT(UpByMarks({"--dry-run"}).out, Not(HasSubstr("not known")));
  const Result up = UpByMarks({"-q"});
  ASSERT_TRUE(up.ok()) << up.ToString();
  for (const Words &dial :
       {Words{DIAL, "-u", kServer4, "5353"}, Words{DIAL, "-I", kServer4, "0"}}) {
    EXPECT_THAT(Run(dial).out, StartsWith("10.0.0.1 "));
    EXPECT_THAT(Run(one->Words(dial)).out, StartsWith("10.1.0.1 "));
  }
  EXPECT_THAT(Run(one->Words({DIAL, "-u", kServer6, "5353"})).out, StartsWith("fd00:1::1 "));
  // The first datagram of a socket that does not connect.
  Capture capture = client_.StartCapture("eth1").value();
  ASSERT_TRUE(Run(one->Words({DIAL, "-s", kServer4, "5353"})).ok());
  const auto sources = capture.DatagramSources(*IpAddress::Parse(kServer4)).value();
  ASSERT_EQ(sources.size(), 1u);
  EXPECT_EQ(sources[0].address.ToString(), kUnicomSource4);
  EXPECT_EQ(Status().at("reasons").value("ambiguous", 0), 0);
}

TEST_P(UpMarksTest, CountsWhatItLeavesForARuleThatNobodyCanForesee) {
  MarkToo("limit rate 1/second udp dport 5353", "-p udp --dport 5353 -m limit --limit 1/s");
  const Result up = UpByMarks();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, AllOf(HasSubstr("not known, and left to the kernel:"), HasSubstr("limit")));
  for (const char *server : {kServer4, kServer6})
    ASSERT_TRUE(Run({DIAL, "-u", server, "5353"}).ok());
  ASSERT_EQ(SourceOfTcp(kServer4), kUnicomSource4);
  const Json counted = Status().at("reasons");
  EXPECT_EQ(counted.value("kernel", 0), 2) << counted.dump();
  EXPECT_EQ(counted.value("mark", 0), 1) << counted.dump();
  // By rule, too.
  const Json stats = Json::parse(Srcsel({"stats", "--json"}).out, nullptr, false);
  ASSERT_FALSE(stats.is_discarded());
  EXPECT_THAT(stats.dump(), HasSubstr("limit"));
}

TEST_P(UpMarksTest, TellsWhatItUnderstood) {
  ASSERT_TRUE(Masquerade(lab_).ok());
  const Result plan = UpByMarks({"--dry-run"});
  ASSERT_TRUE(plan.ok()) << plan.ToString();
  EXPECT_THAT(plan.out, AllOf(HasSubstr("RULE"), HasSubstr(" 100 "), HasSubstr("10.1.0.1"),
                              HasSubstr("yours to remove"), Not(HasSubstr("not known"))));
  EXPECT_THAT(ProgramIds(cgroup_.path()).value(), IsEmpty());
}

TEST_P(UpMarksTest, APolicyComesFirst) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  ASSERT_TRUE(Up("[[rule]]\nto = '192.0.2.81'\nsource = '10.1.0.2'\n", {"-q"}).ok());
  EXPECT_EQ(SourceOfTcp(kOtherServer4), kUnicomOtherSource4);
  EXPECT_EQ(SourceOfTcp(kServer4), kUnicomSource4);
}

TEST_P(UpMarksTest, FollowsTheFirewall) {
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  ASSERT_EQ(SourceOfTcp(kServer4), kUnicomSource4);
  if (GetParam().netfilter == Netfilter::kNft) {
    ASSERT_TRUE(client_.Do("nft flush ruleset").ok());
  } else {
    for (const char *program : {"iptables", "ip6tables"})
      ASSERT_TRUE(client_.Do(absl::StrCat(program, Variant(), " -t mangle -F OUTPUT")).ok());
  }
  EXPECT_TRUE(Eventually([&] { return SourceOfTcp(kServer4) == kTelecomSource4; }));
  ASSERT_TRUE(MarkOutput(lab_, GetParam().netfilter).ok());
  EXPECT_TRUE(Eventually([&] { return SourceOfTcp(kServer4) == kUnicomSource4; }));
}

}  // namespace
}  // namespace srcsel::lab
