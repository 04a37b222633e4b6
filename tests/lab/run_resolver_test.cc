// getaddrinfo() sorts addresses by the sources it would have: it connects a UDP socket to each.
// Under srcsel the order must be that of the sources the later connections get.
//
// Unicom's IPv6 source is a global address here, Telecom's a unique local one: with the latter the
// server's IPv6 address goes last, because the labels of RFC 6724 differ.

#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {
namespace {

constexpr char kGlobalSource[] = "2001:db8:c::1";
constexpr char kIpv4First[] = "192.0.2.80 2001:db8:80::80\n";
constexpr char kIpv6First[] = "2001:db8:80::80 192.0.2.80\n";

constexpr char kSort[] =
    "import socket\n"
    "found = socket.getaddrinfo('server.example', 80, type=socket.SOCK_STREAM)\n"
    "print(*(address[4][0] for address in found))";
constexpr char kConnectToTheFirst[] =
    "import socket\n"
    "s = socket.create_connection(('server.example', 80), 20)\n"
    "print(s.getsockname()[0])";

class RunResolverTest : public RunTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(client_.Do("ip address add 2001:db8:c::1/64 dev eth1 nodad").ok());
    ASSERT_TRUE(
        client_.Do("ip -6 route replace default via fd00:1::254 src 2001:db8:c::1 table 100").ok());
    ASSERT_TRUE(lab_.host("unicom").Do("ip route add 2001:db8:c::/64 via fd00:1::1").ok());
    ASSERT_TRUE(lab_.host("server").Do("ip route add 2001:db8:c::/64 via 2001:db8:b::1").ok());
    ASSERT_TRUE(RouteBySource(lab_).ok());
    ASSERT_TRUE(client_.Do("ip -6 rule add from 2001:db8:c::1 lookup 100").ok());
    ASSERT_TRUE(
        files_.Write("hosts", "192.0.2.80 server.example\n2001:db8:80::80 server.example\n").ok());
    ASSERT_TRUE(files_.Write("tcp.toml", "[[rule]]\nipproto = \"tcp\"\nmark = 100\n").ok());
  }

  std::string Said(const Command &command, const char *program) const {
    Words words{"unshare",
                "--mount",
                "sh",
                "-ec",
                "mount --bind \"$0\" /etc/hosts; exec \"$@\"",
                files_.path() + "/hosts"};
    words.insert(words.end(), command.argv.begin(), command.argv.end());
    words.insert(words.end(), {"python3", "-c", program});
    const Result result = client_.Run(Plain(std::move(words))).value();
    EXPECT_TRUE(result.ok()) << result.ToString();
    return result.out;
  }

  TempDir files_ = TempDir::Make().value();
};

TEST_F(RunResolverTest, SortsBySourcesThatWillBe) {
  EXPECT_EQ(Said(Plain({}), kSort), kIpv4First);
  EXPECT_EQ(Said(Srcsel({"--mark", "100"}, {}), kSort), kIpv6First);
  EXPECT_EQ(Said(Srcsel({"--source", "10.1.0.1,2001:db8:c::1"}, {}), kSort), kIpv6First);
}

TEST_F(RunResolverTest, TheConnectionHasThatSource) {
  const Nginx nginx = Nginx::Start(lab_.host("server"), /*access_log=*/false).value();
  EXPECT_EQ(Said(Plain({}), kConnectToTheFirst), "10.0.0.1\n");
  for (const Words &options : {Words{"--mark", "100"}, Words{"--source", "10.1.0.1,2001:db8:c::1"}})
    EXPECT_EQ(Said(Srcsel(options, {}), kConnectToTheFirst), std::string(kGlobalSource) + "\n");
}

// The probes are UDP: docs/limits.md says so.
TEST_F(RunResolverTest, ARuleForTcpAloneDoesNotShapeTheOrder) {
  EXPECT_EQ(Said(Srcsel({"--policy", files_.path() + "/tcp.toml"}, {}), kSort), kIpv4First);
}

}  // namespace
}  // namespace srcsel::lab
