// A UDP server that knows nothing of pktinfo answers from the address it was asked at, by every
// call that receives and every call that sends.

#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

// Two clients of one address, each asks at another one; then the peers that answer them.
constexpr char kClients[] =
    "import socket, sys\n"
    "clients = []\n"
    "for address in sys.argv[1:]:\n"
    " v6 = ':' in address\n"
    " s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)\n"
    " s.bind(('2001:db8:80::80' if v6 else '192.0.2.80', 0))\n"
    " s.settimeout(20)\n"
    " s.sendto(address.encode(), (address, 7))\n"
    " clients.append(s)\n"
    "for s in clients:\n"
    " answer, peer = s.recvfrom(64)\n"
    " print(peer[0], answer.decode())\n";

class ReplySourceTest : public PreloadTest, public testing::WithParamInterface<const char *> {
 protected:
  void ExpectAnswers(const Command &server, const std::string &one,
                     const std::string &other) const {
    SCOPED_TRACE(one);
    Process process = client_.Spawn(server).value();
    ASSERT_EQ(process.WaitForLine("").value(), "listening");
    const Result clients =
        lab_.host("server").Run({.argv = {"/usr/bin/python3", "-c", kClients, one, other}}).value();
    EXPECT_EQ(clients.out, absl::StrCat(one, " ", one, "\n", other, " ", other, "\n"))
        << clients.ToString();
    EXPECT_TRUE(process.Wait().ok());
  }
};

INSTANTIATE_TEST_SUITE_P(, ReplySourceTest,
                         testing::Values("recvfrom", "recvmsg", "recvmmsg", "syscall"),
                         [](const auto &way) { return std::string(way.param); });

TEST_P(ReplySourceTest, IsTheAddressAsked) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  for (const char *program : {"answer", "musl_answer"}) {
    const auto server = [&](const char *family) {
      return Command{.argv =
                         SrcselWords({"--reply-source"}, {Program(program), family, GetParam()})};
    };
    ExpectAnswers(server("4"), "10.1.0.2", "10.0.0.1");
    ExpectAnswers(server("6"), "fd00:1::2", "fd00::1");
    ExpectAnswers(server("6"), "10.1.0.2", "10.0.0.1");
  }
}

}  // namespace
}  // namespace srcsel::lab
