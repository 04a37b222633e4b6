// Connections of real programs leave by the second uplink with its own address, and nobody
// translates anything.

#include <ostream>

#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class RunTcpTest : public RunTest, public testing::WithParamInterface<Family> {
 protected:
  void ExpectSeen(const std::string &server, const Endpoint &local) {
    EXPECT_EQ(nginx_.NextRequest()->client, local);
    ExpectOnTheWire(server, local);
  }

  // Every SYN, should one have been sent again.
  void ExpectOnTheWire(const std::string &server, const Endpoint &local) {
    const IpAddress to = IpAddress::Parse(server).value();
    EXPECT_THAT(eth0_.SynSources(to).value(), IsEmpty());
    EXPECT_THAT(eth1_.SynSources(to).value(), AllOf(Not(IsEmpty()), Each(local)));
    EXPECT_THAT(client_.ConntrackEntries().value(), IsEmpty());
  }

  void ExpectSource(const Words &options, const char *source) {
    ASSERT_TRUE(RouteBySource(lab_).ok());
    const Result curl = Run(options, Curl(GetParam().server));
    ASSERT_TRUE(curl.ok()) << curl.ToString();
    EXPECT_EQ(SourceIn(curl.out), source);
    ExpectSeen(GetParam().server, LocalEnd(curl.out));
  }

  Nginx nginx_ = Nginx::Start(lab_.host("server")).value();
  Capture eth0_ = client_.StartCapture("eth0").value();
  Capture eth1_ = client_.StartCapture("eth1").value();
};

INSTANTIATE_TEST_SUITE_P(, RunTcpTest, testing::Values(kIpv4, kIpv6),
                         [](const auto &family) { return family.param.name; });

TEST_P(RunTcpTest, Curl) {
  const Result curl = Run(kMark, Curl(GetParam().server));
  ASSERT_TRUE(curl.ok()) << curl.ToString();
  EXPECT_EQ(SourceIn(curl.out), GetParam().unicom);
  ExpectSeen(GetParam().server, LocalEnd(curl.out));
}

TEST_P(RunTcpTest, CurlWhereNetfilterMarksToo) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  const Result curl = Run(kMark, Curl(GetParam().server));
  ASSERT_TRUE(curl.ok()) << curl.ToString();
  EXPECT_EQ(SourceIn(curl.out), GetParam().unicom);
  ExpectSeen(GetParam().server, LocalEnd(curl.out));
}

TEST_P(RunTcpTest, Netcat) {
  Command command = Srcsel(kMark, {"nc", "-N", GetParam().server, "80"});
  command.input = "GET / HTTP/1.0\r\n\r\n";
  const Result nc = client_.Run(command).value();
  ASSERT_TRUE(nc.ok()) << nc.ToString();
  EXPECT_THAT(nc.out, HasSubstr("hello\n"));
  const Endpoint client = nginx_.NextRequest()->client;
  EXPECT_EQ(client.address.ToString(), GetParam().unicom);
  ExpectOnTheWire(GetParam().server, client);
}

TEST_P(RunTcpTest, StaticGoProgram) {
  const Result segments = RunPlain({"readelf", "--program-headers", GET});
  ASSERT_TRUE(segments.ok()) << segments.ToString();
  ASSERT_THAT(segments.out, AllOf(HasSubstr("LOAD"), Not(HasSubstr("INTERP"))));

  const Result get = Run(kMark, {GET, GetParam().server, "80"});
  ASSERT_TRUE(get.ok()) << get.ToString();
  EXPECT_EQ(SourceIn(get.out), GetParam().unicom);
  EXPECT_THAT(get.out, HasSubstr("hello\n"));
  ExpectSeen(GetParam().server, LocalEnd(get.out));
}

TEST_P(RunTcpTest, FixedSource) {
  ExpectSource({"--source", GetParam().unicom}, GetParam().unicom);
}

TEST_P(RunTcpTest, FixedSourceOfEitherFamily) {
  ExpectSource({"--source", "10.1.0.2,fd00:1::2"}, GetParam().unicom_other);
}

TEST_P(RunTcpTest, SourceOfAnInterface) {
  ExpectSource({"--source", "dev eth1"}, GetParam().unicom);
}

TEST_P(RunTcpTest, MarkAndSourceTogether) {
  const Result dial =
      Run({"--mark", "100", "--source", GetParam().unicom_other}, {DIAL, GetParam().server, "80"});
  ASSERT_TRUE(dial.ok()) << dial.ToString();
  EXPECT_EQ(SourceIn(dial.out), GetParam().unicom_other);
  ExpectOnTheWire(GetParam().server, LocalEnd(dial.out));
}

TEST_P(RunTcpTest, ConnectedUdp) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  const IpAddress to = IpAddress::Parse(GetParam().server).value();
  for (const Words &options : {kMark, Words{"--source", "10.1.0.1,fd00:1::1"}}) {
    const Result dial = Run(options, {DIAL, "-u", GetParam().server, "53"});
    ASSERT_TRUE(dial.ok()) << dial.ToString();
    EXPECT_EQ(SourceIn(dial.out), GetParam().unicom);
    EXPECT_EQ(eth1_.DatagramSources(to)->back(), LocalEnd(dial.out));
  }
  EXPECT_THAT(eth0_.DatagramSources(to).value(), IsEmpty());
}

class RunMappedTest : public RunTcpTest {};

INSTANTIATE_TEST_SUITE_P(, RunMappedTest, testing::Values(kIpv4));

// An AF_INET6 socket to ::ffff:192.0.2.80.
TEST_P(RunMappedTest, MarkAndSourceHoldForIpv4InIpv6) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  for (const Words &options : {kMark, Words{"--source", kUnicomSource4}}) {
    const Result curl = Run(options, Curl(std::string("::ffff:") + kServer4));
    ASSERT_TRUE(curl.ok()) << curl.ToString();
    ASSERT_THAT(curl.out, StartsWith("::ffff:10.1.0.1 "));
    const Endpoint mapped = LocalEnd(curl.out);
    EXPECT_EQ(nginx_.NextRequest()->client,
              Endpoint::Parse(kUnicomSource4, std::to_string(mapped.port)).value());
  }
}

TEST_P(RunMappedTest, TablesHoldForIpv4InIpv6) {
  const Result dial = Run({"--mark", "100", "--apply", "bind"}, {DIAL, "-u", "-6", kServer4, "53"});
  EXPECT_THAT(dial.out, StartsWith("::ffff:10.1.0.1 ")) << dial.ToString();
}

}  // namespace
}  // namespace srcsel::lab
