// UDP sockets that send here and there: by which mark each datagram leaves, where destinations have
// different ones.

#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::ElementsAre;

class UpDatagramsTest : public UpTest {
 protected:
  // What has mark 200 leaves as what has none does.
  void SetUp() override {
    UpTest::SetUp();
    ASSERT_TRUE(
        client_
            .IpBatch("-4", {"route add default via 10.0.0.254 dev eth0 src 10.0.0.1 table 200",
                            "rule add pref 32764 fwmark 200 lookup 200"})
            .ok());
  }
  void MarkByDestination(const std::string &first = "") const {
    ASSERT_TRUE(client_
                    .Nft(absl::StrCat("table inet uplinks {\n chain output {\n  type route hook "
                                      "output priority mangle;\n  ",
                                      first, "\n  ip daddr ", kServer4, " meta mark set 100\n",
                                      "  ip daddr ", kOtherServer4, " meta mark set 200\n }\n}\n"))
                    .ok());
  }
  void UpByMarks() const {
    const Result up = Srcsel({"up", "-q", "--cgroup", cgroup_.path()});
    ASSERT_TRUE(up.ok()) << up.ToString();
  }
  Result Do(const Words &steps) const {
    Words words{"/usr/bin/python3", PROGRAMS "/reconnect.py"};
    words.insert(words.end(), steps.begin(), steps.end());
    return Run(std::move(words));
  }
  // What one socket sends to one server and the other in turn, twice, without connecting:
  // "192.0.2.80 by eth1 from 10.1.0.1", in the order of servers and interfaces.
  Words SentInTurn() const {
    Capture eth0 = client_.StartCapture("eth0").value(),
            eth1 = client_.StartCapture("eth1").value();
    const Words turn{"sendto", kServer4, "sendto", kOtherServer4};
    Words steps = turn;
    steps.insert(steps.end(), turn.begin(), turn.end());
    const Result sent = Do(steps);
    EXPECT_TRUE(sent.ok()) << sent.ToString();
    Words seen;
    for (const char *server : {kServer4, kOtherServer4})
      for (auto &[name, capture] : {std::pair{"eth0", &eth0}, std::pair{"eth1", &eth1}}) {
        const auto sources = capture->DatagramSources(IpAddress::Parse(server).value()).value();
        for (const Endpoint &from : sources)
          seen.push_back(absl::StrCat(server, " by ", name, " from ", from.address.ToString()));
      }
    return seen;
  }
};

constexpr char kByDestination[] =
    "[[rule]]\nto = '192.0.2.80'\nmark = 100\n[[rule]]\nto = '192.0.2.81'\nmark = 200\n";

// Else the mark of one datagram would be that of the next, and be accepted.
TEST_F(UpDatagramsTest, ASocketIsNotMarkedForTheFirewall) {
  MarkByDestination("meta mark != 0 accept");
  UpByMarks();
  EXPECT_THAT(SentInTurn(),
              ElementsAre("192.0.2.80 by eth1 from 10.1.0.1", "192.0.2.80 by eth1 from 10.1.0.1",
                          "192.0.2.81 by eth0 from 10.0.0.1", "192.0.2.81 by eth0 from 10.0.0.1"));
}

// The kernel has read the socket's mark before it asks the hook (Linux 6.18, udp_sendmsg()).
TEST_F(UpDatagramsTest, AMarkOfTheFileIsThatOfTheDatagramBefore) {
  MustUp(kByDestination);
  EXPECT_THAT(SentInTurn(),
              ElementsAre("192.0.2.80 by eth0 from 10.1.0.1", "192.0.2.80 by eth0 from 10.1.0.1",
                          "192.0.2.81 by eth1 from 10.0.0.1", "192.0.2.81 by eth1 from 10.0.0.1"));
}

TEST_F(UpDatagramsTest, RulesBySourceBeforeThoseByMarkSendThemRight) {
  ASSERT_TRUE(client_
                  .IpBatch("-4", {"rule add pref 100 from 10.1.0.0/24 lookup 100",
                                  "rule add pref 101 from 10.0.0.0/24 lookup 200"})
                  .ok());
  MustUp(kByDestination);
  EXPECT_THAT(SentInTurn(),
              ElementsAre("192.0.2.80 by eth1 from 10.1.0.1", "192.0.2.80 by eth1 from 10.1.0.1",
                          "192.0.2.81 by eth0 from 10.0.0.1", "192.0.2.81 by eth0 from 10.0.0.1"));
}

// Its source cannot be changed, and netfilter marks what it sends by where it goes.
TEST_F(UpDatagramsTest, ASecondConnectionLeavesByTheFirewallsMark) {
  MarkByDestination();
  UpByMarks();
  Process server =
      lab_.host("server").Spawn({.argv = {"/usr/bin/python3", PROGRAMS "/whoami.py"}}).value();
  ASSERT_EQ(server.WaitForLine("").value(), "listening");
  Capture eth0 = client_.StartCapture("eth0").value(), eth1 = client_.StartCapture("eth1").value();
  const auto sent = [](Capture &capture) {
    return capture.DatagramSources(IpAddress::Parse(kOtherServer4).value()).value().size();
  };
  const Words steps{kServer4, kOtherServer4};
  Do(steps);
  EXPECT_EQ(sent(eth0), 1u);
  EXPECT_EQ(sent(eth1), 0u);
  ASSERT_TRUE(client_.Ip("rule add pref 100 from 10.1.0.0/24 lookup 100").ok());
  EXPECT_EQ(Do(steps).out, "10.1.0.1 100\n10.1.0.1 100\n");
  EXPECT_EQ(sent(eth1), 1u);
}

}  // namespace
}  // namespace srcsel::lab
