// Sockets that the kernel makes for itself, in the cgroup of a run: they are bound and connected as
// those of programs are, and the hooks of the cgroup see it. What they are for, the run does not
// know: they stay as they are without it.

#include <ostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "lab/run_eventually.hh"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Words kMarkAndSource{"--mark", "100", "--source", "10.1.0.2,fd00:1::2"};

// Of which address all are, and there is one.
auto AllFrom(const char *address) {
  return AllOf(Not(IsEmpty()), Each(Field(&Endpoint::address, IpAddress::Parse(address).value())));
}

class RunSubflowsTest : public RunTest, public testing::WithParamInterface<Family> {
 protected:
  void SetUp() override {
    for (const char *host : {"client", "server"})
      ASSERT_TRUE(lab_.host(host).Do("ip mptcp limits set subflow 2").ok());
    const std::string endpoint = GetParam().telecom;
    ASSERT_TRUE(client_.Do("ip mptcp endpoint add " + endpoint + " subflow").ok());
    ASSERT_TRUE(server_.WaitForLine("listening").ok());
  }

  Process server_ =
      lab_.host("server").Spawn({.argv = {"python3", PROGRAMS "/subflows.py"}}).value();
  Capture eth0_ = client_.StartCapture("eth0").value(),
          eth1_ = client_.StartCapture("eth1").value();
};

INSTANTIATE_TEST_SUITE_P(, RunSubflowsTest, testing::Values(kIpv4, kIpv6),
                         [](const auto &family) { return family.param.name; });

// The first subflow is the program's. The second one the kernel binds to the endpoint's address.
TEST_P(RunSubflowsTest, ThatTheKernelAddsKeepTheirEndpoint) {
  const IpAddress to = IpAddress::Parse(GetParam().server).value();
  Process client = Spawn(kMarkAndSource, {"python3", PROGRAMS "/subflows.py", GetParam().server});
  ASSERT_TRUE(client.WaitForLine("connected").ok()) << client.Wait().ToString();
  EXPECT_TRUE(Eventually([&] { return !eth0_.SynSources(to).value().empty(); }));
  EXPECT_THAT(eth0_.SynSources(to).value(), AllFrom(GetParam().telecom));
  EXPECT_THAT(eth1_.SynSources(to).value(), AllFrom(GetParam().unicom_other));
  client.CloseInput();
  EXPECT_TRUE(client.Wait().ok());
}

constexpr char kOpenTunnel[] = R"(
import socket, subprocess, sys
own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
own.bind(("", 4790))
for line in ("link add vx type vxlan id 5 remote 192.0.2.80 dstport 4789",
             "address add 10.9.0.1/24 dev vx", "link set vx up",
             "neighbour add 10.9.0.2 lladdr 02:00:00:00:00:01 dev vx"):
    subprocess.run(["ip"] + line.split(), check=True)
print("up", flush=True)
sys.stdin.read()
)";

class RunTunnelSocketTest : public RunTest {
 protected:
  // Of a UDP socket: its cgroup, and its mark if it has one.
  std::string Described(const char *port) const {
    return client_.Do(absl::StrCat("ss -H -u -a -n -e sport = :", port)).value();
  }
};

TEST_F(RunTunnelSocketTest, IsNotMarkedAndItsPacketsLeaveAsEver) {
  const IpAddress to = IpAddress::Parse(kServer4).value();
  Capture eth0 = client_.StartCapture("eth0").value(), eth1 = client_.StartCapture("eth1").value();
  Process run = Spawn(kMarkAndSource, {"python3", "-c", kOpenTunnel});
  if (!run.WaitForLine("up").ok()) {
    const Result result = run.Wait();
    if (absl::StrContains(result.err, "Unknown device type")) GTEST_SKIP() << "no driver here";
    FAIL() << result.ToString();
  }
  EXPECT_THAT(Described("4790"), AllOf(HasSubstr("srcsel-run-"), HasSubstr("fwmark:0x64")));
  EXPECT_THAT(Described("4789"), AllOf(HasSubstr("srcsel-run-"), Not(HasSubstr("fwmark"))));
  ASSERT_TRUE(RunPlain({DIAL, "-k", "-u", "10.9.0.2", "53"}).ok());
  EXPECT_THAT(eth0.DatagramSources(to).value(), AllFrom(kTelecomSource4));
  EXPECT_THAT(eth1.DatagramSources(to).value(), IsEmpty());
  run.CloseInput();
  EXPECT_TRUE(run.Wait().ok());
}

}  // namespace
}  // namespace srcsel::lab
