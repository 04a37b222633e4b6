// Ping sockets under srcsel up: no hook sees their sendto(), so they get the mark when they are
// created, or, where the firewall's rule asks for a destination, not at all, and that is said.

#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kLate[] = "come too late for ping and raw sockets";

class UpPingTest : public UpTest {
 protected:
  void SetUp() override {
    UpTest::SetUp();
    ASSERT_TRUE(client_.SetSysctl("net.ipv4.ping_group_range", "0 2147483647").ok());
  }
  void MarkBy(const std::string &rule) const {
    ASSERT_TRUE(client_
                    .Nft("table ip uplinks {\n chain output {\n  type route hook output priority "
                         "mangle;\n  " +
                         rule + " meta mark set 100\n }\n}\n")
                    .ok());
  }
  Result UpByMarks(Words options = {}) const {
    options.insert(options.begin(), {"up", "--cgroup", cgroup_.path()});
    return Srcsel(std::move(options));
  }
  // Of pings that get answers: those with the wrong source do not.
  Result Ping(const Words &options = {}) const {
    Words words{"ping", "-n", "-c", "1", "-W", "2"};
    words.insert(words.end(), options.begin(), options.end());
    words.emplace_back(kServer4);
    return Run(std::move(words));
  }
};

TEST_F(UpPingTest, ARuleWithoutADestinationMarksTheSocket) {
  MarkBy("meta l4proto icmp");
  EXPECT_FALSE(Ping().ok()) << "the provider lets a wrong source pass";
  const Result up = UpByMarks();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, Not(HasSubstr(kLate)));
  const Result ping = Ping();
  EXPECT_TRUE(ping.ok()) << ping.out;
}

// IPv6 has no such rule: what is created for it is not marked.
TEST_F(UpPingTest, ARuleOfOneFamilyMarksItsSocketsAlone) {
  MarkBy("meta skuid 0");
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  EXPECT_TRUE(Ping().ok());
  const Result v6 = Run({"ping", "-6", "-n", "-c", "1", "-W", "2", kServer6});
  EXPECT_TRUE(v6.ok()) << v6.out;
}

TEST_F(UpPingTest, ARuleWithADestinationIsNamedWithItsRemedy) {
  MarkBy("ip daddr 192.0.2.0/24");
  const Result up = UpByMarks();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, AllOf(HasSubstr(kLate), HasSubstr("srcsel run --via preload"),
                            HasSubstr("\n  ip uplinks output handle ")));
  EXPECT_FALSE(Ping().ok()) << "then it need not be said";
}

TEST_F(UpPingTest, RulesForPortsDoNotHoldForPings) {
  MarkBy("tcp dport 80");
  EXPECT_THAT(UpByMarks({"--dry-run"}).out, Not(HasSubstr(kLate)));
}

}  // namespace
}  // namespace srcsel::lab
