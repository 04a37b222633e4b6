// srcsel doctor: each fault is made, found and named, its own remedy is run as it is printed, and
// the fault is gone.

#include <linux/bpf.h>
#include <bpf/bpf.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "hooks/image_map.hh"
#include "hooks/pins.hh"
#include "lab/up_scene.hh"
#include <srcsel/abi.h>

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DoctorTest : public UpTest {
 protected:
  void SetUp() override {
    UpTest::SetUp();
    ASSERT_EQ(mount("bpf", above_.c_str(), "bpf", 0, "mode=0700"), 0);
  }

  static Json Parse(const Result &doctor) {
    const Json json = Json::parse(doctor.out, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << doctor.ToString() << doctor.out;
    return json;
  }
  static std::vector<Json> Findings(const Json &report, const std::string &id) {
    std::vector<Json> found;
    for (const Json &finding : report.at("findings"))
      if (finding.at("id") == id) found.push_back(finding);
    return found;
  }
  std::vector<Json> Find(const std::string &id) const {
    return Findings(Parse(Srcsel({"doctor", "--json"})), id);
  }

  // As somebody types it who reads it.
  void Type(const std::string &remedy) const {
    Command command = CommandOf({"sh", "-c", remedy}, keeper_.path());
    command.env.push_back(absl::StrCat(
        "PATH=", std::filesystem::path(SRCSEL).parent_path().string(), ":", getenv("PATH")));
    const Result result = client_.Run(command).value();
    EXPECT_TRUE(result.ok()) << remedy << ": " << result.ToString();
  }
  // That many findings of the id, all of that severity, and none once their remedies were typed.
  void ExpectMended(const std::string &id, std::size_t count, const std::string &severity) const {
    const std::vector<Json> found = Find(id);
    EXPECT_THAT(found, SizeIs(count)) << id;
    for (const Json &finding : found) {
      EXPECT_EQ(finding.at("severity"), severity) << finding;
      Type(finding.at("remedy"));
    }
    EXPECT_THAT(Find(id), IsEmpty());
  }
  // Whether the kernel would take what arrives at Unicom's address by Unicom.
  bool AcceptsFromUnicom() const {
    return client_.Ip(absl::StrCat("-4 route get 10.1.0.1 from ", kServer4, " iif eth1")).ok();
  }
};

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

TEST_F(DoctorTest, AStrictReversePathFilter) {
  ASSERT_TRUE(client_.SetSysctl("net.ipv4.conf.all.rp_filter", "0").ok());
  for (const char *device : {"eth0", "eth1"})
    ASSERT_TRUE(client_.SetSysctl(absl::StrCat("net.ipv4.conf.", device, ".rp_filter"), "1").ok());
  EXPECT_FALSE(AcceptsFromUnicom());
  EXPECT_EQ(Srcsel({"doctor"}).status, 2);
  ExpectMended("rp-filter", 1, "broken");
  EXPECT_TRUE(AcceptsFromUnicom());
}

TEST_F(DoctorTest, AStrictReversePathFilterIsFineWithFromRules) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  ASSERT_TRUE(client_.SetSysctl("net.ipv4.conf.all.rp_filter", "1").ok());
  EXPECT_TRUE(AcceptsFromUnicom());
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

TEST_F(DoctorTest, ABpffsThatIsMissing) {
  ASSERT_EQ(umount2(above_.c_str(), MNT_DETACH), 0);
  ExpectMended("bpffs", 1, "note");
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

TEST_F(DoctorTest, HooksThatTheKernelRefuses) {
  const auto refused = [&](int call, int type, int error) {
    return client_
        .Run(CommandOf({BPF_REFUSED, std::to_string(call), std::to_string(type),
                        std::to_string(error), SRCSEL, "doctor", "--json"},
                       keeper_.path()))
        .value();
  };
  const Result lacking = refused(BPF_PROG_ATTACH, BPF_CGROUP_INET4_CONNECT, EINVAL);
  if (lacking.status == 77) GTEST_SKIP() << lacking.err;
  EXPECT_EQ(lacking.status, 2);
  const std::vector<Json> found = Findings(Parse(lacking), "hooks");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].at("message").get<std::string>(),
              AllOf(HasSubstr("attach srcsel_connect4"), HasSubstr("Linux 6.1 or later")));
  EXPECT_THAT(Findings(Parse(refused(BPF_PROG_LOAD, -1, EPERM)), "hooks"), SizeIs(1));
  EXPECT_TRUE(keeper_.WaitUntilChildless().ok());
}

// `setarch --uname-2.6` has uname(2) tell such a kernel, and `prlimit` gives a limit of those days.
TEST_F(DoctorTest, AKernelOfOldDays) {
  const auto of_old = [&](const std::string &before) {
    return Parse(client_
                     .Run(CommandOf({"prlimit", "--memlock=65536:65536", "sh", "-c",
                                     absl::StrCat(before, "exec setarch --uname-2.6 ", SRCSEL,
                                                  " doctor --json")},
                                    keeper_.path()))
                     .value());
  };
  const Json report = of_old("");
  EXPECT_THAT(Findings(report, "kernel"), SizeIs(1));
  const std::vector<Json> memlock = Findings(report, "memlock");
  ASSERT_THAT(memlock, SizeIs(1));
  const std::string remedy = memlock[0].at("remedy");
  if (!client_.Run({.argv = {"prlimit", "--memlock=65536:65536", "sh", "-c", remedy}})->ok())
    GTEST_SKIP() << "without CAP_SYS_RESOURCE this limit cannot be raised here";
  const Json mended = of_old(remedy + " && ");
  EXPECT_THAT(Findings(mended, "memlock"), IsEmpty());
}

// In the place of a directory of sysfs, in this test's mount namespace.
TEST_F(DoctorTest, WhatSysfsShows) {
  EXPECT_THAT(Find("lockdown"), IsEmpty());
  const bool has_btf = std::filesystem::exists("/sys/kernel/btf/vmlinux");
  EXPECT_THAT(Find("btf"), SizeIs(has_btf ? 0 : 1));
  ASSERT_EQ(mount("none", "/sys/kernel", "tmpfs", 0, nullptr), 0);
  ASSERT_TRUE(std::filesystem::create_directories("/sys/kernel/security"));
  std::ofstream("/sys/kernel/security/lockdown") << "none integrity [confidentiality]\n";
  EXPECT_THAT(Find("btf"), SizeIs(1));
  // It is a cause only of what fails.
  EXPECT_THAT(Find("lockdown"), IsEmpty());
  const Result refused = client_
                             .Run(CommandOf({BPF_REFUSED, std::to_string(BPF_PROG_LOAD), "-1",
                                             std::to_string(EPERM), SRCSEL, "doctor", "--json"},
                                            keeper_.path()))
                             .value();
  if (refused.status != 77) {
    EXPECT_THAT(Findings(Parse(refused), "lockdown"), SizeIs(1));
  }
  ASSERT_EQ(umount2("/sys/kernel", MNT_DETACH), 0);
  EXPECT_THAT(Find("btf"), SizeIs(has_btf ? 0 : 1));
}

TEST_F(DoctorTest, AFirewallThatCannotBeRead) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  EXPECT_THAT(Find("firewall"), IsEmpty());
  const Json as_nobody = Parse(client_
                                   .Run(CommandOf({"setpriv", "--reuid=65534", "--regid=65534",
                                                   "--clear-groups", SRCSEL, "doctor", "--json"},
                                                  keeper_.path()))
                                   .value());
  EXPECT_THAT(Findings(as_nobody, "firewall"), SizeIs(1));
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
  Type("ip rule del pref 90");
  EXPECT_THAT(Find("mark-value"), IsEmpty());
}

TEST_F(DoctorTest, WithoutPrivilege) {
  const Result doctor = client_
                            .Run(CommandOf({"setpriv", "--reuid=65534", "--regid=65534",
                                            "--clear-groups", SRCSEL, "doctor", "--json"},
                                           keeper_.path()))
                            .value();
  EXPECT_EQ(doctor.status, 2);
  const std::vector<Json> found = Findings(Parse(doctor), "privilege");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].at("message").get<std::string>(),
              AllOf(HasSubstr("CAP_BPF"), HasSubstr("--via preload")));
}

TEST_F(DoctorTest, OfAnotherNamespace) {
  const auto from_telecom = [&](const std::string &netns) {
    return lab_.host("telecom")
        .Run(CommandOf({SRCSEL, "doctor", "--json", "--netns", netns}, keeper_.path()))
        .value();
  };
  EXPECT_THAT(Findings(Parse(from_telecom(client_.netns().Path())), "from-rule"), SizeIs(4));
  const Result nowhere = from_telecom("/no/such");
  EXPECT_EQ(nowhere.status, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("/no/such"));
}

}  // namespace
}  // namespace srcsel::lab
