// Every call that sends a datagram, of glibc, of musl and by syscall(): the server sees the source.

#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

using testing::Contains;

constexpr char kMapped[] = "::ffff:192.0.2.80";

class SendsTest : public PreloadTest, public testing::WithParamInterface<const char *> {
 protected:
  std::string Of(const std::string &name) const { return Program(GetParam() + name); }

  Process Serve(const std::string &script) const {
    Process server = lab_.host("server").Spawn({.argv = {"/usr/bin/python3", script}}).value();
    EXPECT_EQ(server.WaitForLine("").value(), "listening");
    return server;
  }

  void ExpectSources(const Command &command) const {
    const Words lines = Lines(command);
    ASSERT_THAT(lines, testing::SizeIs(21));
    for (std::size_t i = 0; i < lines.size(); ++i)
      EXPECT_THAT(lines[i], testing::EndsWith(i >= 7 && i < 14 ? " fd00:1::1" : " 10.1.0.1"));
  }
};

INSTANTIATE_TEST_SUITE_P(, SendsTest, testing::Values("", "musl_"), [](const auto &libc) {
  return libc.param[0] == 0 ? std::string("Glibc") : std::string("Musl");
});

TEST_P(SendsTest, LeaveWithTheSource) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  const Process server = Serve(WAYS "/whoami.py");
  const Words words{Of("sends"), kServer4, kServer6, kMapped};
  EXPECT_THAT(Lines(Plain(words)), Contains("sendmmsg 10.0.0.1"));
  ExpectSources(Preloaded(words, {"SRCSEL_SOURCE=10.1.0.1,fd00:1::1"}));
  ExpectSources(Preloaded(words, {"SRCSEL_MARK=100"}));
  ExpectSources(Srcsel({"--mark", "100"}, words));
}

// No rule looks at the source: only a mark with each datagram sends it out by the second uplink,
// and the first provider drops what is not its own.
TEST_P(SendsTest, LeaveByTheMarkAlone) {
  const Process server = Serve(WAYS "/whoami.py");
  const Words words{Of("sends"), kServer4, kServer6, kMapped};
  ExpectSources({.argv = words, .env = {"SRCSEL_MARK=100", "LD_PRELOAD=" + library()}});
  ExpectSources({.argv = SrcselWords({"--mark", "100"}, words)});
}

// The server is one router away.
TEST_P(SendsTest, KeepControlDataOfTheirOwn) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  const Process server = Serve(PROGRAMS "/ttl.py");
  const Words words{Of("control"), kServer4, kServer6, kMapped};
  const auto seen = [](const std::string &v4, const std::string &v6, bool root = false) {
    Words lines;
    for (const bool is_v6 : {false, true, false})
      for (const std::string way : {"sendmsg", "sendmmsg", "syscall sendmsg"}) {
        lines.push_back(absl::StrCat(way, ": ", is_v6 ? v6 : v4, " ttl 32"));
        lines.push_back(way + " with a source: " + (is_v6 ? "fd00:1::2" : "10.1.0.2") + " ttl 32");
        if (root)
          lines.push_back(way + " with a mark: " + (is_v6 ? "fd00:1::1" : "10.1.0.1") + " ttl 32");
      }
    return lines;
  };
  EXPECT_EQ(Lines(Plain(words)), seen("10.0.0.1", "fd00::1"));
  const Words chosen = seen("10.1.0.1", "fd00:1::1");
  EXPECT_EQ(Lines(Preloaded(words, {"SRCSEL_SOURCE=10.1.0.1,fd00:1::1"})), chosen);
  EXPECT_EQ(Lines(Srcsel({"--mark", "100"}, words)), chosen);
  EXPECT_EQ(Lines({.argv = SrcselWords({"--mark", "100"}, words)}),
            seen("10.1.0.1", "fd00:1::1", /*root=*/true));
  EXPECT_EQ(Lines({.argv = SrcselWords({"--source", "10.0.0.1,fd00::1"}, words)}),
            seen("10.0.0.1", "fd00::1", /*root=*/true));
}

}  // namespace
}  // namespace srcsel::lab
