// A UDP server that knows nothing of pktinfo answers from the address it was asked at.

#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

class ReplySourceTest : public PreloadTest {
 protected:
  // The peer that answers, or "timed out", for each of the client's addresses.
  std::string Ask(const std::string &address) const {
    const std::string script =
        "import socket,sys\n"
        "s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET,"
        " socket.SOCK_DGRAM)\n"
        "s.settimeout(20)\n"
        "s.sendto(b'x', (sys.argv[1], 7))\n"
        "print(s.recvfrom(9)[1][0])\n";
    return lab_.host("server").Run({.argv = {"/usr/bin/python3", "-c", script, address}})->out;
  }
};

TEST_F(ReplySourceTest, IsTheAddressAsked) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  for (const Words &addresses :
       {Words{"4", "10.1.0.2", "10.0.0.1"}, Words{"6", "fd00:1::2", "fd00::1"},
        Words{"6", "10.1.0.2", "10.0.0.1"}}) {
    SCOPED_TRACE(testing::PrintToString(addresses));
    Process server =
        client_.Spawn({.argv = SrcselWords({"--reply-source"}, {Program("answer"), addresses[0]})})
            .value();
    ASSERT_EQ(server.WaitForLine("").value(), "listening");
    EXPECT_EQ(Ask(addresses[1]), addresses[1] + "\n");
    EXPECT_EQ(Ask(addresses[2]), addresses[2] + "\n");
    server.Wait();
  }
}

}  // namespace
}  // namespace srcsel::lab
