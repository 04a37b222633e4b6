// Every way a program opens a flow, under every kind of rule, by an ordinary user under the
// preload: what the server sees, and that is what getsockname says. The table of
// tests/lab/run_paths_test.cc, without a mark.

#include <iostream>
#include <optional>

#include "absl/strings/numbers.h"
#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Ge;
using ::testing::Lt;
using ::testing::SizeIs;

const Words kStreams{"tcp",    "nonblocking", "again-after-a-refusal", "bound-to-any",
                     "thread", "passed",      "fastopen-message",      "fastopen-connect",
                     "mptcp"};
const Words kDatagrams{"udp", "udp-again", "sendto", "sendmsg"};
const Words kMapped{"mapped", "sendto-mapped"};

struct Kind {
  std::string name;
  Words options;  // {} stands for a policy file
  std::string rule;
};

class PreloadPathsTest : public PreloadTest, public testing::WithParamInterface<Kind> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(RouteBySource(lab_).ok());
    server_.emplace(
        lab_.host("server").Spawn({.argv = {"/usr/bin/python3", WAYS "/whoami.py"}}).value());
    ASSERT_EQ(server_->WaitForLine("").value(), "listening");
    ASSERT_TRUE(here_.Write("policy.toml", GetParam().rule).ok());
    std::filesystem::copy_file(WAYS "/ways.py", here_.path() + "/ways.py");
  }

  Words Options() const {
    return GetParam().options.empty() ? Words{"--policy", here_.path() + "/policy.toml"}
                                      : GetParam().options;
  }

  // The port was taken by the program: the socket cannot be bound any more.
  static bool HasNoSource(const std::string &way) { return way == "bound-to-any"; }

  static bool HasPort(const std::string &way) {
    return GetParam().name == "ports" && !way.starts_with("send") && !HasNoSource(way);
  }

  void Expect(const std::string &way, const std::string &server, const std::string &line) const {
    const bool v4 = server == kServer4;
    std::cout << GetParam().name << '\t' << way << '\t' << server << '\t' << line << '\n';
    SCOPED_TRACE(way + " " + server + ": " + line);
    const Words words = absl::StrSplit(line, ' ');
    ASSERT_THAT(words, SizeIs(4));
    if (HasNoSource(way))
      EXPECT_EQ(words[0], v4 ? kTelecomSource4 : kTelecomSource6);
    else if (GetParam().name == "pool")
      EXPECT_THAT(words[0], v4 ? AnyOf(kUnicomSource4, kUnicomOtherSource4)
                               : AnyOf(kUnicomSource6, kUnicomOtherSource6));
    else
      EXPECT_EQ(words[0], v4 ? kUnicomSource4 : kUnicomSource6);
    EXPECT_EQ(words[1], words[3]);
    if (!way.starts_with("send")) {
      EXPECT_EQ(words[0], words[2]);
    }
    int port = 0;
    ASSERT_TRUE(absl::SimpleAtoi(words[1], &port));
    if (HasPort(way)) {
      EXPECT_THAT(port, AllOf(Ge(40000), Lt(40200)));
    }
  }

  std::optional<Process> server_;
};

INSTANTIATE_TEST_SUITE_P(
    , PreloadPathsTest,
    testing::Values(Kind{"mark", {"--mark", "100"}, ""},
                    Kind{"source", {"--source", "10.1.0.1,fd00:1::1"}, ""},
                    Kind{
                        "pool",
                        {},
                        "[pool.unicom]\nmembers = [ { source = \"10.1.0.1\" }, { source = "
                        "\"10.1.0.2\" }, { source = \"fd00:1::1\" }, { source = \"fd00:1::2\" } ]\n"
                        "pick = \"round-robin\"\n[[rule]]\nsource = \"pool unicom\"\n"},
                    Kind{"ports",
                         {},
                         "[[rule]]\nsource = [\"10.1.0.1\", \"fd00:1::1\"]\n"
                         "ports = \"40000-40199\"\n"}),
    [](const auto &kind) { return kind.param.name; });

TEST_P(PreloadPathsTest, LeaveWithTheRightSource) {
  Words flows;
  for (const Words &ways : {kStreams, kDatagrams, kMapped})
    for (const std::string &way : ways) {
      flows.insert(flows.end(), {way, kServer4});
      if (ways != kMapped) flows.insert(flows.end(), {way, kServer6});
    }
  Words words{"/usr/bin/python3", here_.path() + "/ways.py"};
  words.insert(words.end(), flows.begin(), flows.end());
  const Words lines = Lines(Srcsel(Options(), words));
  ASSERT_EQ(lines.size() * 2, flows.size());
  for (std::size_t i = 0; i < lines.size(); ++i) Expect(flows[2 * i], flows[2 * i + 1], lines[i]);
}

}  // namespace
}  // namespace srcsel::lab
