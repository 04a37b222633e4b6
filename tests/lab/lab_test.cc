// The laboratory itself: what Build() promises, whatever the scenario.

#include "lab/lab.hh"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lab/netns_monitor.hh"

namespace srcsel::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

Description TwoHosts() {
  return {.hosts = {{.name = "a"}, {.name = "b"}},
          .wires = {{{"a", "eth0", {"10.0.0.1/24", "fd00::1/64"}},
                     {"b", "eth0", {"10.0.0.2/24", "fd00::2/64"}}}}};
}

std::string MessageOf(const Description &description) {
  return std::string(Lab::Build(description).status().message());
}

TEST(Lab, CarriesTheFirstPacket) {
  const Lab lab = Lab::Build(TwoHosts()).value();
  const Host &a = lab.host("a");
  Capture capture = a.StartCapture("eth0").value();
  for (const char *server : {"10.0.0.2", "fd00::2"}) {
    const Result refused = a.Run({.argv = {DIAL, server, "9"}}).value();
    EXPECT_THAT(refused.err, HasSubstr("ECONNREFUSED"));
  }
  EXPECT_EQ(capture.Sent().value().size(), 2);
}

TEST(Lab, CapturesDatagrams) {
  const Lab lab = Lab::Build(TwoHosts()).value();
  const Host &a = lab.host("a");
  Capture capture = a.StartCapture("eth0").value();
  const Result result = a.Run({.argv = {DIAL, "-u", "10.0.0.2", "9"}}).value();
  const auto sources = capture.DatagramSources(IpAddress::Parse("10.0.0.2").value()).value();
  ASSERT_EQ(sources.size(), 1);
  EXPECT_EQ(absl::StrCat(sources[0].address.ToString(), " ", sources[0].port, "\n"), result.out);
  EXPECT_THAT(capture.SynSources(IpAddress::Parse("10.0.0.2").value()).value(), IsEmpty());
}

TEST(Lab, NamesHostAndLineOfAnError) {
  Description description = TwoHosts();
  description.hosts[1].ip = {"route add 192.0.2.1 via 10.0.0.1",
                             "route add 192.0.2.0/24 via 10.9.9.9"};
  EXPECT_THAT(MessageOf(description), HasSubstr("b: ip -4 route add 192.0.2.0/24 via 10.9.9.9: "));

  description = TwoHosts();
  description.hosts[0].ip6 = {"rule add fwmark 1 table 1", "route add nonsense", "rule flush"};
  EXPECT_THAT(MessageOf(description), HasSubstr("a: ip -6 route add nonsense: Error: "));

  description = TwoHosts();
  description.hosts[0].sysctls = {"net.ipv4.no_such=1"};
  EXPECT_THAT(MessageOf(description), HasSubstr("a: set sysctl net.ipv4.no_such=1: No such file"));

  description = TwoHosts();
  description.hosts[0].nft = "table inet t { chain c { nonsense; }; }";
  EXPECT_THAT(MessageOf(description), HasSubstr("a: nft -f -: "));

  description = TwoHosts();
  description.wires[0].b.host = "nobody";
  EXPECT_THAT(MessageOf(description), HasSubstr("nobody: no such host"));

  EXPECT_THAT(
      std::string(
          Lab::Build(TwoHosts()).value().host("a").Ip("link show dev x").status().message()),
      HasSubstr("a: ip link show dev x: "));
}

TEST(Lab, HasSysctlsOfItsOwn) {
  Description description = TwoHosts();
  description.hosts[0].sysctls = {"net.ipv4.ip_local_port_range=40000 40009"};
  const Lab lab = Lab::Build(description).value();
  EXPECT_EQ(lab.host("a").Sysctl("net.ipv4.ip_local_port_range").value(), "40000\t40009");
  EXPECT_NE(lab.host("b").Sysctl("net.ipv4.ip_local_port_range").value(), "40000\t40009");
}

TEST(Lab, GoesWithItsOwner) {
  auto lab = std::make_unique<Lab>(Lab::Build(TwoHosts()).value());
  const Fd one_end(fcntl(lab->host("a").netns().fd().get(), F_DUPFD_CLOEXEC, 0));
  NetnsMonitor monitor = NetnsMonitor::Open(one_end).value();
  lab.reset();
  EXPECT_TRUE(monitor.WaitUntilGone("eth0").ok()) << "the other end's namespace is still there";
}

// What a test leaves behind that is killed: it tells its parent where host a is and who sleeps.
[[noreturn]] void BuildAndWait(int report) {
  const Lab lab = Lab::Build(TwoHosts()).value();
  const Process sleeper = lab.host("b").Spawn({.argv = {"sleep", "1000"}}).value();
  const int facts[] = {lab.host("a").netns().fd().get(), sleeper.pid()};
  if (write(report, facts, sizeof(facts)) != sizeof(facts)) _exit(1);
  while (true) pause();
}

TEST(Lab, GoesWhenItsProcessIsKilled) {
  Pipe report = MakePipe().value();
  const pid_t owner = fork();
  ASSERT_GE(owner, 0);
  if (owner == 0) BuildAndWait(report.write.get());
  report.write.reset();
  int facts[2];
  ASSERT_EQ(read(report.read.get(), facts, sizeof(facts)), sizeof(facts));
  const Fd one_end = OpenNetns(absl::StrCat("/proc/", owner, "/fd/", facts[0])).value();
  const Fd sleeper = OpenPidfd(facts[1]);
  ASSERT_TRUE(sleeper);
  NetnsMonitor monitor = NetnsMonitor::Open(one_end).value();

  ASSERT_EQ(kill(owner, SIGKILL), 0);
  ASSERT_EQ(waitpid(owner, nullptr, 0), owner);
  pollfd ended{sleeper.get(), POLLIN, 0};
  EXPECT_EQ(poll(&ended, 1, Deadline(kPatience).PollTimeout()), 1) << "a process was left behind";
  EXPECT_TRUE(monitor.WaitUntilGone("eth0").ok()) << "a namespace was left behind";
}

TEST(Lab, DoesNotMeetItsTwin) {
  constexpr int kLabs = 4;
  std::vector<absl::StatusOr<Lab>> labs(kLabs);
  std::vector<std::thread> builders;
  builders.reserve(kLabs);
  for (auto &lab : labs) builders.emplace_back([&lab] { lab = Lab::Build(TwoHosts()); });
  for (auto &builder : builders) builder.join();

  std::vector<Capture> captures;
  captures.reserve(kLabs);
  for (auto &lab : labs) captures.push_back(lab.value().host("a").StartCapture("eth0").value());
  const IpAddress server = IpAddress::Parse("10.0.0.2").value();
  for (int i = 0; i < kLabs; ++i)
    ASSERT_EQ(labs[i]
                  ->host("a")
                  .Run({.argv = {DIAL, "-u", "-n", std::to_string(i + 1), "10.0.0.2", "9"}})
                  ->status,
              0);
  for (int i = 0; i < kLabs; ++i)
    EXPECT_EQ(captures[i].DatagramSources(server).value().size(), i + 1);
}

}  // namespace
}  // namespace srcsel::lab
