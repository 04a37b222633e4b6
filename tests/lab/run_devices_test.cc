// Uplinks and devices of other kinds: a tunnel, a VRF. Kernels without their drivers skip; Debian's
// have them (`./tools/dev kernels`).

#include "absl/strings/match.h"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

class RunDevicesTest : public RunTest {
 protected:
  static void Do(const Host &host, const std::vector<const char *> &commands) {
    for (const char *words : commands)
      if (const auto done = host.Do(words); !done.ok()) {
        if (absl::StrContains(done.status().message(), "Unknown device type"))
          GTEST_SKIP() << "no driver here: " << words;
        FAIL() << done.status();
      }
  }

  void ExpectSourceSeen(const Words &options, const char *source) {
    const Result curl = Run(options, Curl(kServer4));
    ASSERT_TRUE(curl.ok()) << curl.ToString();
    EXPECT_EQ(nginx_.NextRequest()->client, LocalEnd(curl.out));
    EXPECT_EQ(SourceIn(curl.out), source);
  }

  Nginx nginx_ = Nginx::Start(lab_.host("server")).value();
};

// Unicom is reached through an IP-in-IP tunnel with addresses of its own.
class RunTunnelTest : public RunDevicesTest {
 protected:
  void SetUp() override {
    Do(client_, {"ip link add pipe type ipip local 10.1.0.1 remote 10.1.0.254",
                 "ip address add 10.9.0.1/30 dev pipe", "ip link set pipe up",
                 "ip route replace default dev pipe src 10.9.0.1 table 100"});
    if (IsSkipped()) return;
    Do(lab_.host("unicom"), {"ip link add pipe type ipip local 10.1.0.254 remote 10.1.0.1",
                             "ip address add 10.9.0.2/30 dev pipe", "ip link set pipe up"});
    Do(lab_.host("server"), {"ip route add 10.9.0.0/30 via 203.0.113.1"});
  }
};

TEST_F(RunTunnelTest, AMarkLeadsThrough) {
  ExpectSourceSeen({"--mark", "100"}, "10.9.0.1");
}

TEST_F(RunTunnelTest, TheTablesSourceLeadsThrough) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  ExpectSourceSeen({"--mark", "100", "--apply", "bind"}, "10.9.0.1");
}

TEST_F(RunTunnelTest, TheTunnelsAddressLeadsThrough) {
  ASSERT_TRUE(client_.Do("ip rule add from 10.9.0.1 lookup 100").ok());
  ExpectSourceSeen({"--source", "dev pipe"}, "10.9.0.1");
}

// Its l3mdev rule comes first, and is for devices that this flow is not bound to.
class RunVrfTest : public RunDevicesTest {
 protected:
  void SetUp() override {
    Do(client_, {"ip link add blue type vrf table 200", "ip link set blue up",
                 "ip link add stub type veth peer stub-end", "ip link set stub master blue",
                 "ip address add 10.8.0.1/24 dev stub", "ip link set stub up",
                 "ip link set stub-end up", "ip route add default via 10.8.0.254 table 200"});
  }
};

TEST_F(RunVrfTest, LeavesOtherFlowsTheirTables) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  ExpectSourceSeen({"--mark", "100", "--apply", "bind"}, kUnicomSource4);
}

TEST_F(RunVrfTest, ASocketOfItIsLeftAlone) {
  const Words dialling{DIAL, "-u", "-i", "blue", kServer4, "53"};
  const std::string expected = SourceIn(RunPlain(dialling).out);
  EXPECT_EQ(expected, "10.8.0.1");
  for (const Words &options : {Words{"--mark", "100"}, Words{"--source", "10.1.0.1"},
                               Words{"--mark", "100", "--apply", "bind"}})
    EXPECT_EQ(SourceIn(Run(options, dialling).out), expected);
}

}  // namespace
}  // namespace srcsel::lab
