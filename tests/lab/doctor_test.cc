// srcsel doctor: each fault is made, found and named, its own remedy is run as it is printed, and
// the fault is gone.

#include <sys/mount.h>

#include <filesystem>
#include <string>
#include <vector>

#include "lab/doctor_scene.hh"
#include <srcsel/abi.h>

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Whether the kernel would take what arrives at Unicom's address by Unicom.
bool AcceptsFromUnicom(const Host &client) {
  return client.Ip(absl::StrCat("-4 route get 10.1.0.1 from ", kServer4, " iif eth1")).ok();
}

TEST_F(DoctorTest, AHealthyHost) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  const Result doctor = Srcsel({"doctor"});
  EXPECT_EQ(doctor.status, 0) << doctor.ToString() << doctor.out;
  for (const char *hook : {"create ", "setsockopt ", "bind4 ", "bind6 ", "connect4 ", "connect6 ",
                           "sendmsg4 ", "sendmsg6 "})
    EXPECT_THAT(doctor.out, HasSubstr(hook));
  EXPECT_THAT(doctor.out, HasSubstr("healthy: 8 of 8 hooks work, 0 broken, 0 warnings, 0 notes\n"));
  EXPECT_EQ(doctor.err, "");
  EXPECT_THAT(keeper_.children(), IsEmpty());
  const Json json = Parse(Srcsel({"doctor", "--json"}));
  EXPECT_EQ(json.at("healthy"), true);
  EXPECT_THAT(json.at("probes"), SizeIs(8));
}

TEST_F(DoctorTest, AddressesThatLeaveByTheWrongUplink) {
  EXPECT_EQ(Srcsel({"doctor"}).status, 1);
  ExpectMended("from-rule", 4, "warning");
  for (const char *source : {kUnicomSource4, kUnicomOtherSource4})
    EXPECT_THAT(client_.Ip(absl::StrCat("-4 route get ", kServer4, " from ", source)).value(),
                HasSubstr("dev eth1"));
  EXPECT_EQ(Srcsel({"doctor"}).status, 0);
}

TEST_F(DoctorTest, AnUplinkThatNobodyHasGivenARoute) {
  EXPECT_THAT(Find("dead-uplink"), IsEmpty());
  for (const char *family : {"-4", "-6"})
    ASSERT_TRUE(client_.IpBatch(family, {"route flush table 100"}).ok());
  ASSERT_TRUE(client_.Ip("-4 route add default via 10.1.0.254 metric 500").ok());
  ASSERT_TRUE(client_.Ip("-6 route add default via fd00:1::254 metric 5000").ok());
  EXPECT_EQ(Srcsel({"doctor"}).status, 2);
  ExpectMended("dead-uplink", 2, "broken");
  EXPECT_THAT(client_.Ip(absl::StrCat("-4 route get ", kServer4, " mark 100")).value(),
              HasSubstr("via 10.1.0.254 dev eth1"));
}

TEST_F(DoctorTest, AnUplinkThatIsDown) {
  ASSERT_TRUE(client_.Ip("-6 rule del fwmark 100").ok());
  ASSERT_TRUE(client_
                  .IpBatch("-4", {"address flush dev eth1", "address add 10.1.0.253/30 dev eth1",
                                  "link set eth1 down"})
                  .ok());
  ExpectMended("dead-uplink", 1, "broken");
  EXPECT_THAT(client_.Ip(absl::StrCat("-4 route get ", kServer4, " mark 100")).value(),
              HasSubstr("via 10.1.0.254 dev eth1"));
}

TEST_F(DoctorTest, AnUplinkWhoseGatewayNothingNames) {
  ASSERT_TRUE(client_.Ip("link set eth1 down").ok());
  const std::vector<Json> down = Find("dead-uplink");
  ASSERT_THAT(down, SizeIs(2));
  EXPECT_EQ(down[0].at("remedy"), "ip link set eth1 up");
  EXPECT_THAT(down[0].at("message").get<std::string>(),
              HasSubstr("which is empty, and eth1 is down"));
  Type(down[0].at("remedy"));
  const std::vector<Json> up = Find("dead-uplink");
  ASSERT_THAT(up, SizeIs(2));
  EXPECT_EQ(up[0].at("remedy"), "");
  EXPECT_THAT(up[0].at("message").get<std::string>(),
              HasSubstr("what is missing is the gateway behind eth1, for: ip route add default via "
                        "GATEWAY dev eth1 table 100"));
}

TEST_F(DoctorTest, AnUplinkWithoutACarrier) {
  const Host &unicom = lab_.host("unicom");
  ASSERT_TRUE(unicom.Ip("link set access down").ok());
  const std::vector<Json> found = Find("dead-uplink");
  ASSERT_THAT(found, SizeIs(2));
  for (const Json &finding : found)
    EXPECT_THAT(finding.at("message").get<std::string>(),
                HasSubstr("eth1, without a carrier: what has the mark is lost"));
  ASSERT_TRUE(unicom.Ip("link set access up").ok());
  EXPECT_THAT(Find("dead-uplink"), IsEmpty());
}

TEST_F(DoctorTest, AStrictReversePathFilter) {
  ASSERT_TRUE(client_.SetSysctl("net.ipv4.conf.all.rp_filter", "0").ok());
  for (const char *device : {"eth0", "eth1"})
    ASSERT_TRUE(client_.SetSysctl(absl::StrCat("net.ipv4.conf.", device, ".rp_filter"), "1").ok());
  EXPECT_FALSE(AcceptsFromUnicom(client_));
  EXPECT_EQ(Srcsel({"doctor"}).status, 2);
  ExpectMended("rp-filter", 1, "broken");
  EXPECT_TRUE(AcceptsFromUnicom(client_));
}

TEST_F(DoctorTest, AStrictReversePathFilterIsFineWithFromRules) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  ASSERT_TRUE(client_.SetSysctl("net.ipv4.conf.all.rp_filter", "1").ok());
  EXPECT_TRUE(AcceptsFromUnicom(client_));
  EXPECT_THAT(Find("rp-filter"), IsEmpty());
}

constexpr char kMarkArrivals[] = R"(
table ip arrivals {
  chain prerouting {
    type filter hook prerouting priority mangle;
    iif "eth1" meta mark set 100
  }
}
)";

TEST_F(DoctorTest, MarksOfArrivalsThatNothingTakesOver) {
  ASSERT_TRUE(client_.SetSysctl("net.ipv4.conf.all.rp_filter", "1").ok());
  EXPECT_THAT(Find("fwmark-accept"), IsEmpty());
  ASSERT_TRUE(client_.Nft(kMarkArrivals).ok());
  const std::vector<Json> strict = Find("rp-filter");
  ASSERT_THAT(strict, SizeIs(1));
  EXPECT_EQ(strict[0].at("remedy"), "sysctl -w net.ipv4.conf.eth1.src_valid_mark=1");
  ExpectMended("rp-filter", 1, "broken");
  ExpectMended("fwmark-accept", 1, "note");
}

TEST_F(DoctorTest, IptablesMarksOfArrivals) {
  ASSERT_TRUE(client_.Do("iptables -t mangle -A PREROUTING -i eth1 -j MARK --set-mark 100").ok());
  ExpectMended("fwmark-accept", 1, "note");
}

TEST_F(DoctorTest, SourceNatThatIsLeftOver) {
  ASSERT_TRUE(Masquerade(lab_).ok());
  ASSERT_TRUE(client_
                  .Nft("table ip own { chain post { type nat hook postrouting priority 100; "
                       "oifname \"eth1\" masquerade comment \"as ever\"; }; }")
                  .ok());
  ExpectMended("source-nat", 3, "note");
  EXPECT_EQ(client_.Do("iptables -t nat -S POSTROUTING").value(), "-P POSTROUTING ACCEPT\n");
}

TEST_F(DoctorTest, SourceNatOfWhatIsForwardedStays) {
  ASSERT_TRUE(Masquerade(lab_).ok());
  ASSERT_TRUE(client_.SetSysctl("net.ipv4.ip_forward", "1").ok());
  const std::vector<Json> found = Find("source-nat");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].at("remedy").get<std::string>(), HasSubstr("ip6tables"));
}

TEST_F(DoctorTest, ARuleThatComparesAnothersBits) {
  EXPECT_THAT(Find("mark-mask"), IsEmpty());
  for (const char *family : {"-4", "-6"})
    ASSERT_TRUE(client_
                    .IpBatch(family, {"rule add pref 5210 fwmark 0x80000/0xff0000 lookup main",
                                      "rule add pref 5270 lookup 52"})
                    .ok());
  ExpectMended("mark-mask", 2, "warning");
  EXPECT_THAT(client_.Ip("-4 rule show").value(), HasSubstr("fwmark 0x64/0xff00ffff lookup 100"));
}

TEST_F(DoctorTest, AnUpThatNobodyKeepsTrue) {
  MustUp(kBySource);
  EXPECT_THAT(Find("up"), IsEmpty());
  KillFollower();
  ExpectMended("up", 1, "broken");
  EXPECT_EQ(Status().at("following"), true);
}

TEST_F(DoctorTest, AnUpWhoseCgroupIsGone) {
  {
    const TestCgroup other = TestCgroup::Create().value();
    ASSERT_TRUE(
        Srcsel({"up", "-q", "--policy", PolicyFile(kBySource), "--cgroup", other.path()}).ok());
  }
  ExpectMended("up", 1, "broken");
}

TEST_F(DoctorTest, TwoSrcselOnOneHost) {
  MustUp(kBySource);
  PutImageOfNextVersion();
  const std::vector<Json> found = Find("up-version");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].at("message").get<std::string>(),
              AllOf(HasSubstr("two srcsel are on this host"),
                    HasSubstr(absl::StrCat("images of version ", SRCSEL_ABI_VERSION + 1))));
  EXPECT_THAT(Find("up"), IsEmpty());
  ExpectMended("up-version", 1, "broken");
  EXPECT_EQ(Source(), kUnicomOtherSource4);
}

// Those of up leave alone what the probe's have decided.
TEST_F(DoctorTest, HooksAreTriedBelowThoseOfUp) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  for (const char *policy : {kBySource, "[[rule]]\ndport = 80\nmark = 100\n"}) {
    MustUp(policy);
    const Result doctor = Run({SRCSEL, "doctor"});
    EXPECT_THAT(doctor.out, HasSubstr("8 of 8 hooks work, 0 broken")) << policy << doctor.out;
    EXPECT_TRUE(Srcsel({"down", "-q"}).ok());
  }
}

// Another srcsel's may not leave it alone.
TEST_F(DoctorTest, HooksAreNotTriedBelowThoseOfAnotherVersion) {
  MustUp(kBySource);
  PutImageOfNextVersion();
  const Json report = Parse(Run({SRCSEL, "doctor", "--json"}));
  EXPECT_THAT(report.at("untried").get<std::string>(), HasSubstr("another srcsel"));
  EXPECT_THAT(report.at("probes"), IsEmpty());
}

TEST_F(DoctorTest, AFirewallThatCannotBeRead) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  EXPECT_THAT(Find("firewall"), IsEmpty());
  const Json as_nobody = Parse(client_
                                   .Run(CommandOf({"setpriv", "--reuid=65534", "--regid=65534",
                                                   "--clear-groups", SRCSEL, "doctor", "--json"},
                                                  keeper_.path()))
                                   .value());
  const std::vector<Json> found = Findings(as_nobody, "firewall");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].at("remedy"), "sudo srcsel doctor");
}

TEST_F(DoctorTest, AMarkThatIsTakenForAnothers) {
  ASSERT_TRUE(client_
                  .IpBatch("-4", {"rule add pref 5210 fwmark 0x80000/0xff0000 lookup main",
                                  "rule add pref 5270 lookup 52",
                                  "rule add pref 90 fwmark 0x80064 lookup 100"})
                  .ok());
  const std::vector<Json> found = Find("mark-value");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].at("message").get<std::string>(), HasSubstr("Tailscale"));
  ExpectMended("mark-value", 1, "warning");
  EXPECT_THAT(client_.Ip("-4 rule show pref 90").value(), HasSubstr("lookup 100"));
}

// By its path, and by a name: what mends it is typed where doctor was asked.
TEST_F(DoctorTest, OfAnotherNamespace) {
  ASSERT_EQ(mount("none", "/run", "tmpfs", 0, nullptr), 0);
  ASSERT_TRUE(std::filesystem::create_directories("/run/netns"));
  std::filesystem::create_symlink(client_.netns().Path(), "/run/netns/blue");
  ASSERT_TRUE(client_.Nft(kMarkArrivals).ok());
  const auto from_telecom = [&](const Words &words) {
    return lab_.host("telecom").Run(CommandOf(words, keeper_.path())).value();
  };
  const auto found = [&](const std::string &netns, const std::string &id) {
    return Findings(Parse(from_telecom({SRCSEL, "doctor", "--json", "--netns", netns})), id);
  };
  const auto type = [&](const Json &finding) {
    const Result typed = from_telecom({"sh", "-c", finding.at("remedy")});
    EXPECT_TRUE(typed.ok()) << finding << typed.ToString();
  };
  const std::vector<Json> astray = found(client_.netns().Path(), "from-rule");
  ASSERT_THAT(astray, SizeIs(4));
  for (const Json &finding : {astray[0], astray[1]}) type(finding);
  const std::vector<Json> by_name = found("blue", "from-rule");
  ASSERT_THAT(by_name, SizeIs(2));
  for (const Json &finding : by_name) type(finding);
  for (const Json &finding : found("blue", "fwmark-accept")) type(finding);
  EXPECT_THAT(found("blue", "from-rule"), IsEmpty());
  EXPECT_THAT(found("blue", "fwmark-accept"), IsEmpty());
  const Result nowhere = from_telecom({SRCSEL, "doctor", "--netns", "/no/such"});
  EXPECT_EQ(nowhere.status, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("/no/such"));
}

}  // namespace
}  // namespace srcsel::lab
