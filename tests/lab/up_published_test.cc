// A bare LD_PRELOAD follows the image that `srcsel up` publishes, by any user, in any cgroup.

#include "lab/up_public_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::StartsWith;

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

}  // namespace
}  // namespace srcsel::lab
