// Every call that sends a datagram, of glibc, of musl and by syscall(): the server sees the source.

#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

constexpr char kMapped[] = "::ffff:192.0.2.80";

class SendsTest : public PreloadTest, public testing::WithParamInterface<const char *> {
 protected:
  void ExpectSources(const Command &command) const {
    const Words lines = Lines(command);
    ASSERT_THAT(lines, testing::SizeIs(21));
    for (std::size_t i = 0; i < lines.size(); ++i)
      EXPECT_THAT(lines[i], testing::EndsWith(i >= 7 && i < 14 ? " fd00:1::1" : " 10.1.0.1"));
  }
};

INSTANTIATE_TEST_SUITE_P(, SendsTest, testing::Values("sends", "musl_sends"),
                         [](const auto &name) { return std::string(name.param); });

TEST_P(SendsTest, LeaveWithTheSource) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  Process server =
      lab_.host("server").Spawn({.argv = {"/usr/bin/python3", WAYS "/whoami.py"}}).value();
  ASSERT_EQ(server.WaitForLine("").value(), "listening");
  const Words words{Program(GetParam()), kServer4, kServer6, kMapped};
  EXPECT_THAT(Lines(Plain(words)), testing::Contains("sendmmsg 10.0.0.1"));
  ExpectSources(Preloaded(words, {"SRCSEL_SOURCE=10.1.0.1,fd00:1::1"}));
  ExpectSources(Preloaded(words, {"SRCSEL_MARK=100"}));
  ExpectSources(Srcsel({"--mark", "100"}, words));
  ExpectSources({.argv = SrcselWords({"--mark", "100"}, words)});
}

}  // namespace
}  // namespace srcsel::lab
