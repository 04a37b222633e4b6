// What a run never touches: what the program decided itself, and what stays on this host or link.
// The measure is always the same program without srcsel.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const Words kSource{"--source", "10.1.0.2,fd00:1::2"};
const Words kMarkAndSource{"--mark", "100", "--source", "10.1.0.2,fd00:1::2"};

// What a dialling program printed, without the port, which differs from call to call.
std::string WithoutPort(const Result &dial) {
  const std::vector<std::string> words = absl::StrSplit(dial.out, ' ');
  return words.size() == 4 ? absl::StrCat(words[0], " ", words[2], " ", words[3]) : dial.ToString();
}

class RunUntouchedTest : public RunTest {
 protected:
  void ExpectAsWithout(const Words &dialling) {
    const std::string expected = WithoutPort(RunPlain(dialling));
    EXPECT_THAT(expected, HasSubstr(" mark ")) << "the program failed";
    for (const Words &options : {kMarkAndSource, kBind})
      EXPECT_EQ(WithoutPort(Run(options, dialling)), expected)
          << testing::PrintToString(options) << testing::PrintToString(dialling);
  }

  // What such a program sends: for each packet the device and the source, and the socket's mark.
  std::string Sent(const Words &options, const Words &dialling) const {
    std::vector<std::pair<const char *, Capture>> captures;
    for (const char *device : {"lo", "eth0", "eth1"})
      captures.emplace_back(device, client_.StartCapture(device).value());
    const Result dial = options.empty() ? RunPlain(dialling) : Run(options, dialling);
    std::string text = dial.ok() ? dial.out.substr(dial.out.find(" mark ")) : dial.ToString();
    for (auto &[device, capture] : captures) {
      const std::vector<Packet> sent = capture.Sent().value();
      for (const Packet &packet : sent)
        absl::StrAppend(&text, device, " ", packet.from.address.ToString(), "\n");
    }
    return text;
  }

  void ExpectSentAsWithout(const Words &dialling,
                           const std::vector<Words> &policies = {kMarkAndSource, kBind}) {
    const std::string expected = Sent({}, dialling);
    EXPECT_THAT(expected, HasSubstr(" mark ")) << "the program failed";
    for (const Words &options : policies)
      EXPECT_EQ(Sent(options, dialling), expected)
          << testing::PrintToString(options) << testing::PrintToString(dialling);
  }
};

using RunUntouchedProgramTest = RunUntouchedTest;

TEST_F(RunUntouchedProgramTest, ThatBoundItsSource) {
  for (const Words &socket : {Words{"-u"}, Words{}}) {
    const Nginx nginx = Nginx::Start(lab_.host("server")).value();
    for (const auto &[source, server] :
         {std::pair{kTelecomSource4, kServer4}, std::pair{kTelecomSource6, kServer6}}) {
      Words dialling{DIAL, "-k", "-b", source, server, "80"};
      dialling.insert(dialling.begin() + 1, socket.begin(), socket.end());
      ExpectAsWithout(dialling);
    }
  }
}

TEST_F(RunUntouchedProgramTest, ThatIsCurlWithAnInterface) {
  Nginx nginx = Nginx::Start(lab_.host("server")).value();
  const Result curl = Run(kMarkAndSource, Curl(kServer4, {"--interface", kTelecomSource4}));
  EXPECT_THAT(curl.out, StartsWith("10.0.0.1 ")) << curl.ToString();
  EXPECT_EQ(nginx.NextRequest()->client, LocalEnd(curl.out));
}

TEST_F(RunUntouchedProgramTest, ThatMarkedItsSocket) {
  ExpectAsWithout({DIAL, "-k", "-u", "-m", "7", kServer4, "53"});
  ExpectAsWithout({DIAL, "-k", "-u", "-m", "7", kServer6, "53"});
}

TEST_F(RunUntouchedProgramTest, ThatSendsWithoutConnecting) {
  for (const auto &[source, server] :
       {std::pair{kTelecomSource4, kServer4}, std::pair{kTelecomSource6, kServer6}})
    for (const Words &own : {Words{"-b", source}, Words{"-m", "7"}, Words{"-i", "eth0"}}) {
      Words dialling{DIAL, "-k", "-B", "-s", server, "53"};
      dialling.insert(dialling.begin() + 4, own.begin(), own.end());
      ExpectSentAsWithout(dialling);
    }
}

// Bits outside of the mask's are not ours to judge.
TEST_F(RunUntouchedProgramTest, MarksUnderAMaskKeepTheOtherBits) {
  const Result dial =
      Run({"--mark", "0x64/0xff"}, {DIAL, "-k", "-u", "-m", "0x100", kServer4, "53"});
  EXPECT_THAT(dial.out, EndsWith(absl::StrCat(" mark ", 0x164, "\n"))) << dial.ToString();
  const Result ours = Run({"--mark", "0x64/0xff"}, {DIAL, "-k", "-u", "-m", "7", kServer4, "53"});
  EXPECT_THAT(ours.out, EndsWith(" mark 7\n")) << ours.ToString();
}

TEST_F(RunUntouchedProgramTest, ThatBoundADevice) {
  ExpectAsWithout({DIAL, "-k", "-u", "-i", "eth0", kServer4, "53"});
  ExpectAsWithout({DIAL, "-k", "-u", "-i", "lo", "127.0.0.1", "53"});
}

TEST_F(RunUntouchedProgramTest, ThatBoundAPortIsMarkedButNotBoundAgain) {
  const Words dialling{DIAL, "-k", "-u", "-p", "5353", kServer4, "53"};
  EXPECT_EQ(Run(kMark, dialling).out, "10.1.0.1 5353 mark 100\n");
  // The source is steered by the mark that leads to its uplink; the mark brings it along.
  EXPECT_EQ(Run(kSource, dialling).out, "10.1.0.1 5353 mark 100\n");
  EXPECT_EQ(Run(kMarkAndSource, dialling).out, "10.1.0.1 5353 mark 100\n");
  EXPECT_EQ(Run(kBind, dialling).out, "10.0.0.1 5353 mark 0\n");
}

struct Destination {
  const char *name, *address;
};

class RunUntouchedDestinationTest : public RunUntouchedTest,
                                    public testing::WithParamInterface<Destination> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(client_.Ip("route add local 10.50.0.0/16 dev lo").ok());
    ASSERT_TRUE(client_.Ip("-6 route add local 2001:db8:50::/48 dev lo").ok());
  }
};

INSTANTIATE_TEST_SUITE_P(
    , RunUntouchedDestinationTest,
    testing::Values(
        Destination{"Loopback4", "127.0.0.1"}, Destination{"OtherLoopback4", "127.1.2.3"},
        Destination{"Loopback6", "::1"}, Destination{"FirstUplinksOwn4", kTelecomSource4},
        Destination{"SecondUplinksOwn4", kUnicomSource4},
        Destination{"SecondUplinksOwn6", kUnicomSource6}, Destination{"AnyIp4", "10.50.1.2"},
        Destination{"AnyIp6", "2001:db8:50::1"}, Destination{"SubnetBroadcast", "10.1.0.255"},
        Destination{"LimitedBroadcast", "255.255.255.255"},
        Destination{"Multicast4", "224.0.0.251"}, Destination{"Multicast6", "ff02::fb%eth0"},
        Destination{"WideMulticast6", "ff0e::1"}, Destination{"LinkLocal4", "169.254.1.1"},
        Destination{"LinkLocal6", "fe80::77%eth1"}),
    [](const auto &destination) { return destination.param.name; });

TEST_P(RunUntouchedDestinationTest, HasTheSourceTheKernelGives) {
  ExpectAsWithout({DIAL, "-k", "-u", GetParam().address, "53"});
}

TEST_P(RunUntouchedDestinationTest, IsSentToAsByTheKernel) {
  ExpectSentAsWithout({DIAL, "-k", "-s", GetParam().address, "53"});
  // A mark that the socket got when it was made is on its first datagram (docs/limits.md).
  if (!absl::StrContains(GetParam().name, "Broadcast"))
    ExpectSentAsWithout({DIAL, "-k", "-B", "-s", GetParam().address, "53"}, {kBind});
}

// Of those that say nothing before they send: the mark is gone when the first datagram has left.
TEST_F(RunUntouchedProgramTest, ButTheFirstDatagramToAGroupIsMarked) {
  const Words dialling{DIAL, "-k", "-B", "-s", "224.0.0.251", "53"};
  EXPECT_EQ(Sent({}, dialling), " mark 0\neth0 10.0.0.1\n");
  EXPECT_EQ(Sent(kMark, dialling), " mark 0\neth1 10.1.0.1\n");
}

class RunUntouchedLocalTest : public RunUntouchedDestinationTest {
  Nginx local_ = Nginx::Start(client_).value();
};

INSTANTIATE_TEST_SUITE_P(, RunUntouchedLocalTest,
                         testing::Values(Destination{"Loopback4", "127.0.0.1"},
                                         Destination{"Loopback6", "::1"},
                                         Destination{"FirstUplinksOwn4", kTelecomSource4},
                                         Destination{"SecondUplinksOwn6", kUnicomSource6},
                                         Destination{"AnyIp4", "10.50.1.2"},
                                         Destination{"AnyIp6", "2001:db8:50::1"}),
                         [](const auto &destination) { return destination.param.name; });

TEST_P(RunUntouchedLocalTest, IsReachedByTcpAsEver) {
  ExpectAsWithout({DIAL, "-k", GetParam().address, "80"});
}

}  // namespace
}  // namespace srcsel::lab
