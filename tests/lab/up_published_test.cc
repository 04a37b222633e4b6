// A bare LD_PRELOAD follows the image that `srcsel up` publishes, by any user, in any cgroup.

#include "lab/up_public_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

constexpr char kMarkUnlessEf[] = R"(
table inet uplinks {
  chain output {
    type route hook output priority mangle;
    ip dscp != ef udp dport 5353 meta mark set 100
    ip6 dscp != ef udp dport 5353 meta mark set 100
  }
}
)";

class UpPublishedTest : public PublicUpTest {
 protected:
  // The sanitized dial is content to come second.
  Command Preloaded(const Words &dial, const Words &env = {}) const {
    Words words{"env", "LD_PRELOAD=" PRELOAD, "ASAN_OPTIONS=verify_asan_link_order=0"};
    words.insert(words.end(), env.begin(), env.end());
    words.insert(words.end(), {DIAL, "-u"});
    words.insert(words.end(), dial.begin(), dial.end());
    return ByNobody(words);
  }
};

TEST_F(UpPublishedTest, IsFollowedForAsLongAsItIsThere) {
  Process dial = client_.Spawn(Preloaded({"-w", "-n", "1000", kServer4, "53"})).value();
  const auto first = dial.WaitForLine(" ").value();
  EXPECT_THAT(first, StartsWith("10.0.0.1 ")) << "nothing is up";
  const auto next = [&dial] {
    EXPECT_TRUE(dial.Write("again\n").ok());
    const std::string line = dial.WaitForLine(" ").value();
    return line.substr(0, line.find(' '));
  };
  MustUp(kBySource);
  EXPECT_EQ(next(), kUnicomOtherSource4);
  const Result reload = Srcsel({"reload", "-q", "--policy", PolicyFile(kByMark)});
  ASSERT_TRUE(reload.ok()) << reload.ToString();
  EXPECT_EQ(next(), kUnicomSource4);
  ASSERT_TRUE(client_.Ip("route change default via 10.1.0.254 src 10.1.0.2 table 100").ok());
  EXPECT_TRUE(Eventually([&] { return next() == kUnicomOtherSource4; }));
  ASSERT_TRUE(Srcsel({"down", "-q"}).ok());
  EXPECT_EQ(next(), kTelecomSource4);
  MustUp(kBySource);
  EXPECT_EQ(next(), kUnicomOtherSource4);
}

TEST_F(UpPublishedTest, ByWhoBeginsUnderIt) {
  MustUp(kBySource);
  const Result dial = client_.Run(Preloaded({kServer4, "53"}, {"SRCSEL_DEBUG=1"})).value();
  EXPECT_THAT(dial.out, StartsWith("10.1.0.2 ")) << dial.ToString();
  EXPECT_EQ(dial.err,
            "srcsel: 192.0.2.80 port 53: source, source 10.1.0.2\nsrcsel: in all: 1 source\n");
}

// The firewall's rules are in the image too; some hold for packets of one tos.
TEST_F(UpPublishedTest, TheTosOfASocketIsSeen) {
  ASSERT_TRUE(client_.Nft(kMarkUnlessEf).ok());
  const Result up = Srcsel({"up", "-q", "--cgroup", cgroup_.path()});
  ASSERT_TRUE(up.ok()) << up.ToString();
  struct Case {
    Words options;
    const char *server, *plain, *by_tos;
  };
  for (const Case &one : {Case{{}, kServer4, "10.1.0.1 ", "10.0.0.1 "},
                          Case{{"-6"}, kServer4, "::ffff:10.1.0.1 ", "::ffff:10.0.0.1 "},
                          Case{{}, kServer6, "fd00:1::1 ", "fd00::1 "}}) {
    Words words = one.options;
    words.insert(words.end(), {one.server, "5353"});
    const Result plain = client_.Run(Preloaded(words, {"SRCSEL_DEBUG=1"})).value();
    EXPECT_THAT(plain.out, StartsWith(one.plain)) << plain.ToString();
    EXPECT_THAT(plain.err, EndsWith("srcsel: in all: 1 table\n"));
    words.insert(words.begin(), {"-T", "0xb8"});
    const Result by_tos = client_.Run(Preloaded(words, {"SRCSEL_DEBUG=1"})).value();
    EXPECT_THAT(by_tos.out, StartsWith(one.by_tos)) << by_tos.ToString();
    EXPECT_EQ(by_tos.err, "srcsel: in all: 1 app-tos\n");
  }
  // A datagram may have another one than its socket.
  const Result sent = client_.Run(Preloaded({"-s", kServer4, "5353"}, {"SRCSEL_DEBUG=1"})).value();
  EXPECT_EQ(sent.err, "srcsel: in all: 1 ambiguous\n");
}

}  // namespace
}  // namespace srcsel::lab
