// Sources read from the host's own state: routing tables (--apply bind) and interfaces (dev IF). A
// running program gets the new one with its next connect.

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <thread>

#include "lab/firewall_changes.hh"
#include "lab/run_custody.hh"
#include "lab/run_eventually.hh"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class FollowTest : public RunTest {
 protected:
  static Words Dialling(const char *server) { return {DIAL, "-w", "-n", "1000000", server, "80"}; }

  // Has a program that is dialling dial on, until it gets the source.
  static void DialUntil(Process &dial, const std::string &source) {
    const auto start = std::chrono::steady_clock::now();
    const Deadline deadline(kPatience);
    std::string line;
    int dialled = 0;
    do {
      ASSERT_FALSE(deadline.Passed()) << "still " << line;
      ASSERT_TRUE(dial.Write("again\n").ok());
      const absl::StatusOr<std::string> next = dial.WaitForLine(" ", deadline);
      ASSERT_TRUE(next.ok()) << next.status();
      line = *next;
      ++dialled;
    } while (SourceIn(line) != source);
    const auto took = std::chrono::steady_clock::now() - start;
    RecordProperty("dialled", dialled);
    RecordProperty("milliseconds", static_cast<int>(took / std::chrono::milliseconds(1)));
  }

  Nginx nginx_ = Nginx::Start(lab_.host("server")).value();
};

class RunTablesTest : public FollowTest, public testing::WithParamInterface<Netfilter> {
 protected:
  void SetUp() override { ASSERT_TRUE(MarkOutput(lab_, GetParam()).ok()); }
};

INSTANTIATE_TEST_SUITE_P(, RunTablesTest, testing::Values(Netfilter::kIptables, Netfilter::kNft),
                         [](const auto &tool) {
                           return tool.param == Netfilter::kNft ? "Nft" : "Iptables";
                         });

TEST_P(RunTablesTest, MarkedTrafficCrosses) {
  Capture eth0 = client_.StartCapture("eth0").value(), eth1 = client_.StartCapture("eth1").value();
  const std::pair<const char *, const char *> kCases[] = {{kServer4, kUnicomSource4},
                                                          {kServer6, kUnicomSource6}};
  for (const auto &[server, source] : kCases) {
    const Result curl = Run(kBind, Curl(server));
    ASSERT_TRUE(curl.ok()) << curl.ToString();
    EXPECT_EQ(SourceIn(curl.out), source);
    const Endpoint local = LocalEnd(curl.out);
    EXPECT_EQ(nginx_.NextRequest()->client, local);
    const IpAddress to = IpAddress::Parse(server).value();
    EXPECT_THAT(eth1.SynSources(to).value(), AllOf(Not(IsEmpty()), Each(local)));
    EXPECT_THAT(eth0.SynSources(to).value(), IsEmpty());
  }
  EXPECT_THAT(client_.ConntrackEntries().value(), IsEmpty());
}

TEST_P(RunTablesTest, TheSocketsMarkIsLeftAlone) {
  const Result dial = Run(kBind, {DIAL, "-k", kServer4, "80"});
  EXPECT_THAT(dial.out, AllOf(StartsWith("10.1.0.1 "), HasSubstr(" mark 0\n"))) << dial.ToString();
  const Result marked = Run({"--mark", "100"}, {DIAL, "-k", kServer4, "80"});
  EXPECT_THAT(marked.out, HasSubstr(" mark 100\n")) << marked.ToString();
}

TEST_P(RunTablesTest, AChangedRouteHoldsForTheNextConnectOfARunningProgram) {
  Process dial = Spawn(kBind, Dialling(kServer4));
  EXPECT_THAT(dial.WaitForLine(" ").value(), StartsWith("10.1.0.1 "));
  ASSERT_TRUE(client_.Ip("route change default via 10.1.0.254 src 10.1.0.2 table 100").ok());
  DialUntil(dial, kUnicomOtherSource4);
}

TEST_P(RunTablesTest, AChangedRouteHoldsForIpv6) {
  Process dial = Spawn(kBind, Dialling(kServer6));
  EXPECT_THAT(dial.WaitForLine(" ").value(), StartsWith("fd00:1::1 "));
  ASSERT_TRUE(client_.Ip("-6 route change default via fd00:1::254 src fd00:1::2 table 100").ok());
  DialUntil(dial, kUnicomOtherSource6);
}

// By UDP: a TCP connect in between would wait for an answer that does not find back.
TEST_P(RunTablesTest, ARuleThatGoesAndComesIsFollowed) {
  Process dial = Spawn(kBind, {DIAL, "-u", "-w", "-n", "1000000", kServer4, "80"});
  EXPECT_THAT(dial.WaitForLine(" ").value(), StartsWith("10.1.0.1 "));
  ASSERT_TRUE(client_.Ip("rule del fwmark 100 table 100").ok());
  DialUntil(dial, kTelecomSource4);
  ASSERT_TRUE(client_.Ip("rule add fwmark 100 table 100").ok());
  DialUntil(dial, kUnicomSource4);
}

// Bound to that source, which the route is not for, there would be no route.
TEST_F(FollowTest, ASourceByARouteForOtherSourcesIsTheKernels) {
  ASSERT_TRUE(client_
                  .IpBatch("-6", {"route del default", "route del default table 100",
                                  "route add default from ::/3 via fd00:1::254 dev eth1",
                                  "route add default from ::/3 via fd00:1::254 table 100"})
                  .ok());
  for (const Words &policy : {Words{"--ports", "20000-20999"}, kBind}) {
    const Result dial = Run(policy, {DIAL, kServer6, "80"});
    EXPECT_THAT(dial.out, StartsWith("fd00:1::1 ")) << dial.ToString();
  }
}

using RunDeviceTest = FollowTest;

// As a lease renewed with another address does.
TEST_F(RunDeviceTest, ANewAddressHoldsForTheNextConnectOfARunningProgram) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  Process dial = Spawn({"--source", "dev eth1"}, Dialling(kServer4));
  EXPECT_THAT(dial.WaitForLine(" ").value(), StartsWith("10.1.0.1 "));
  ASSERT_TRUE(client_
                  .IpBatch("-4", {"address flush dev eth1", "address add 10.1.0.77/24 dev eth1",
                                  "route add default via 10.1.0.254 table 100"})
                  .ok());
  DialUntil(dial, "10.1.0.77");
}

// By sockets that connect and send nothing: a packet may be late for its address. So may a
// connect() that has found the old one when it goes. Half of the changes at least within 50 ms,
// where no sanitizer slows them down: how busy the machine is, is not known.
TEST_F(RunDeviceTest, ANewAddressIsInForceSoon) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  ASSERT_TRUE(RunPlain({"sysctl", "-qw", "net.ipv4.ping_group_range=0 0"}).ok());
  Process dial =
      Spawn({"--source", "dev eth1"}, {DIAL, "-I", "-t", "-g", "-n", "1000000000", kServer4, "0"});
  EXPECT_THAT(dial.WaitForLine(" ").value(), StartsWith("10.1.0.1 "));
  std::vector<SourceChange> changes{{0, 0, kUnicomSource4}};
  std::thread changer([&] {
    for (int i = 0; i < 10; ++i) {
      const std::string address = i % 2 == 0 ? "10.1.0.77" : kUnicomSource4;
      const std::int64_t begun = Microseconds();
      EXPECT_TRUE(
          client_
              .IpBatch("-4", {"address flush dev eth1", "address add " + address + "/24 dev eth1"})
              .ok());
      changes.push_back({begun, Microseconds(), address});
      poll(nullptr, 0, i < 9 ? 300 : 3'000);
    }
    EXPECT_TRUE(dial.Signal(SIGTERM).ok());
  });
  const Result result = dial.Wait(std::chrono::minutes(5));
  changer.join();
  const std::vector<Dialled> all = ReadDialled(result.out);
  std::vector<std::int64_t> delays = Delays(all, changes);
  ASSERT_EQ(delays.size(), 10u);
  std::ranges::sort(delays);
  std::cout << "a new address of the interface: in force within " << delays[5] / 1'000
            << " ms, at most " << delays.back() / 1'000 << " ms, " << all.size()
            << " connections\n";
  EXPECT_EQ(all.back().source, kUnicomSource4);
#ifndef SRCSEL_SANITIZED
  EXPECT_LE(delays[5], 50'000);
#endif
}

TEST_F(RunDeviceTest, AnInterfaceThatLostItsAddressLendsNone) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  Process dial = Spawn({"--source", "dev eth1"}, Dialling(kServer4));
  EXPECT_THAT(dial.WaitForLine(" ").value(), StartsWith("10.1.0.1 "));
  ASSERT_TRUE(client_.Ip("-4 address flush dev eth1").ok());
  const std::string run = RunCgroupPath();
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(dial.Write("again\n").ok());
    EXPECT_THAT(dial.WaitForLine(" ").value(), StartsWith("10.0.0.1 "));
    return CountersOf(run).value()[SRCSEL_WHY_FAMILY] > 0;
  })) << "the interface is still thought to have one";
}

}  // namespace
}  // namespace srcsel::lab
