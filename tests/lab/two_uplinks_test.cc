// The scenario is true: with real curl, nginx and iptables, each way of the problem shows itself.

#include "lab/two_uplinks.hh"

#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lab/servers.hh"

namespace srcsel::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr int kCurlTimedOut = 28;

IpAddress Address(const char *text) {
  return IpAddress::Parse(text).value();
}

class TwoUplinksTest : public testing::TestWithParam<Family> {
 protected:
  Result Curl(std::vector<std::string> options = {}) {
    Command command{.argv = {"curl", "--silent", "--show-error", "--max-time", "2"}};
    command.argv.insert(command.argv.end(), options.begin(), options.end());
    command.argv.push_back(Url(GetParam().server));
    return client_.Run(command).value();
  }

  IpAddress ClientSeenByServer() { return nginx_.NextRequest().value().client.address; }

  static std::set<IpAddress> SynSources(Capture *capture) {
    std::set<IpAddress> addresses;
    const std::vector<Endpoint> sources = capture->SynSources(Address(GetParam().server)).value();
    for (const Endpoint &source : sources) addresses.insert(source.address);
    return addresses;
  }

  Lab lab_ = Lab::Build(TwoUplinks()).value();
  Host &client_ = lab_.host("client");
  Nginx nginx_ = Nginx::Start(lab_.host("server")).value();
  Capture eth0_ = client_.StartCapture("eth0").value();
  Capture eth1_ = client_.StartCapture("eth1").value();
};

INSTANTIATE_TEST_SUITE_P(, TwoUplinksTest, testing::Values(kIpv4, kIpv6),
                         [](const auto &family) { return family.param.name; });

TEST_P(TwoUplinksTest, PlainLeavesByTelecom) {
  const Result curl = Curl();
  EXPECT_TRUE(curl.ok()) << curl.ToString();
  EXPECT_EQ(curl.out, "hello\n");
  EXPECT_EQ(ClientSeenByServer(), Address(GetParam().telecom));
  EXPECT_THAT(SynSources(&eth0_), ElementsAre(Address(GetParam().telecom)));
  EXPECT_THAT(SynSources(&eth1_), IsEmpty());
}

TEST_P(TwoUplinksTest, MarkedHasTheWrongSourceAndIsDropped) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  EXPECT_EQ(Curl().status, kCurlTimedOut);
  EXPECT_THAT(SynSources(&eth0_), IsEmpty());
  EXPECT_THAT(SynSources(&eth1_), ElementsAre(Address(GetParam().telecom)));
}

TEST_P(TwoUplinksTest, MarkedByNftIsNoDifferent) {
  ASSERT_TRUE(MarkOutput(lab_, Netfilter::kNft).ok());
  EXPECT_EQ(Curl().status, kCurlTimedOut);
  EXPECT_THAT(SynSources(&eth1_), ElementsAre(Address(GetParam().telecom)));
}

TEST_P(TwoUplinksTest, ItIsTheProvidersFilterThatDrops) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  const Host &unicom = lab_.host("unicom");
  ASSERT_TRUE(unicom.SetSysctl("net.ipv4.conf.all.rp_filter", "0").ok());
  ASSERT_TRUE(unicom.SetSysctl("net.ipv4.conf.access.rp_filter", "0").ok());
  ASSERT_TRUE(unicom.Nft("flush ruleset").ok());
  EXPECT_TRUE(Curl().ok());
  EXPECT_EQ(ClientSeenByServer(), Address(GetParam().telecom));
}

TEST_P(TwoUplinksTest, MasqueradeWorksAndTracks) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  ASSERT_TRUE(Masquerade(lab_).ok());
  const Result curl = Curl();
  EXPECT_TRUE(curl.ok()) << curl.ToString();
  EXPECT_EQ(ClientSeenByServer(), Address(GetParam().unicom));

  const std::vector<ConntrackEntry> entries = client_.ConntrackEntries().value();
  ASSERT_EQ(entries.size(), 1);
  EXPECT_EQ(entries[0].from.address, Address(GetParam().telecom));
  EXPECT_EQ(entries[0].to.address, Address(GetParam().server));
  EXPECT_EQ(entries[0].reply_to.address, Address(GetParam().unicom));
}

TEST_P(TwoUplinksTest, BoundByTheProgramWorksWithoutTranslation) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  for (const char *source : {GetParam().unicom, GetParam().unicom_other}) {
    const Result curl = Curl({"--interface", source});
    EXPECT_TRUE(curl.ok()) << curl.ToString();
    EXPECT_EQ(ClientSeenByServer(), Address(source));
  }
  EXPECT_THAT(client_.ConntrackEntries().value(), IsEmpty());
}

TEST_P(TwoUplinksTest, TheServerSeesWhatGetsocknameGave) {
  const Result curl = Curl({"--output", "/dev/null", "--write-out", "%{local_ip} %{local_port}"});
  const Endpoint seen = nginx_.NextRequest().value().client;
  EXPECT_EQ(curl.out, absl::StrCat(seen.address.ToString(), " ", seen.port));
  EXPECT_THAT(eth0_.SynSources(Address(GetParam().server)).value(), ElementsAre(seen));
}

TEST_P(TwoUplinksTest, AChangedRouteCountsForTheNextConnection) {
  const std::string family = Address(GetParam().server).is_v4() ? "-4" : "-6";
  Process dial = client_.Spawn({.argv = {DIAL, "-w", "-n", "2", GetParam().server, "80"}}).value();
  EXPECT_TRUE(dial.WaitForLine(absl::StrCat(GetParam().telecom, " ")).ok());
  const std::string gateway = family == "-4" ? "10.1.0.254" : "fd00:1::254";
  ASSERT_TRUE(client_
                  .Ip(absl::StrCat(family, " route change default via ", gateway, " src ",
                                   GetParam().unicom_other))
                  .ok());
  ASSERT_TRUE(dial.Write("next\n").ok());
  EXPECT_TRUE(dial.WaitForLine(absl::StrCat(GetParam().unicom_other, " ")).ok());
  EXPECT_TRUE(dial.Wait().ok());
}

TEST_P(TwoUplinksTest, TheServerHasASecondAddress) {
  const char *other = Address(GetParam().server).is_v4() ? kOtherServer4 : kOtherServer6;
  EXPECT_TRUE(client_.Run({.argv = {DIAL, other, "80"}}).value().ok());
}

TEST(TwoUplinks, V4MappedIsIpv4) {
  const Lab lab = Lab::Build(TwoUplinks()).value();
  const Nginx nginx = Nginx::Start(lab.host("server")).value();
  const Result dial = lab.host("client").Run({.argv = {DIAL, "-6", kServer4, "80"}}).value();
  EXPECT_THAT(dial.out, StartsWith("::ffff:10.0.0.1 ")) << dial.ToString();
}

TEST(TwoUplinks, ActiveFtpReachesTheClient) {
  const Lab lab = Lab::Build(TwoUplinks()).value();
  ASSERT_TRUE(RouteBySource(lab).ok());
  const FtpServer server = FtpServer::Start(lab.host("server")).value();
  ASSERT_TRUE(server.files().Write("greeting", "hello\n").ok());
  for (const std::string source : {kTelecomSource4, kUnicomSource4}) {
    const Result curl = lab.host("client")
                            .Run({.argv = {"curl", "--silent", "--show-error", "--max-time", "5",
                                           "--interface", source, "--ftp-port", "-",
                                           absl::StrCat("ftp://", kServer4, "/greeting")}})
                            .value();
    EXPECT_EQ(curl.out, "hello\n") << curl.ToString();
  }
}

}  // namespace
}  // namespace srcsel::lab
