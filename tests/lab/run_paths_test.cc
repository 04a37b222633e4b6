// Every way a program opens a flow, under every kind of rule: what the server sees, and that is
// what getsockname says. The providers drop what has the wrong source for the uplink it left by, so
// an answer also says that the way out was right. The table is printed.

#include <iostream>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {
namespace {

using ::testing::AnyOf;
using ::testing::SizeIs;

const Words kStreams{
    "tcp",    "nonblocking", "again-after-a-refusal", "bound-to-any", "thread",
    "passed", "inherited",   "fastopen-message",      "mptcp",        "fastopen-connect"};
const Words kDatagrams{"udp", "udp-again", "send-on-connected", "sendto", "sendmsg", "sendmmsg"};
const Words kMapped{"mapped", "sendto-mapped"};
const Words kRing{"connect", "connect-worker", "connect-polled",
                  "send",    "send-worker",    "send-polled"};

// The port is taken before the hook can bind an address (EINVAL); a mark still works.
bool HasNoSource(const std::string &way, const std::string &kind) {
  return way == "bound-to-any" && kind != "mark";
}

bool IsSent(const std::string &way) {
  return way.starts_with("send") && way != "send-on-connected";
}

// No hook may bind a socket that only sends (spec 9.2): it has a source, and any port.
bool HasPort(const std::string &way, const std::string &kind) {
  return kind == "ports" && !IsSent(way);
}

struct Kind {
  std::string name;
  Words options;  // {} stands for a policy file
  std::string rule;
};

class RunPathsTest : public RunTest, public testing::WithParamInterface<Kind> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(RouteBySource(lab_).ok());
    Command command{.argv = {"/usr/bin/python3", PROGRAMS "/whoami.py"}};
    server_.emplace(lab_.host("server").Spawn(std::move(command)).value());
    ASSERT_EQ(server_->WaitForLine("").value(), "listening");
    ASSERT_TRUE(policy_.Write("policy.toml", GetParam().rule).ok());
  }

  Words Options() const {
    return GetParam().options.empty() ? Words{"--policy", policy_.path() + "/policy.toml"}
                                      : GetParam().options;
  }

  // Ways and servers in turn. Each flow as "SOURCE PORT SOURCE PORT", or why it failed.
  void Ask(Words program, const Words &flows) const {
    program.insert(program.end(), flows.begin(), flows.end());
    const Result asked = Run(Options(), program);
    EXPECT_TRUE(asked.ok()) << asked.ToString();
    const Words lines = absl::StrSplit(asked.out, '\n', absl::SkipEmpty());
    ASSERT_EQ(lines.size() * 2, flows.size()) << asked.err;
    for (std::size_t i = 0; i < lines.size(); ++i) Expect(flows[2 * i], flows[2 * i + 1], lines[i]);
  }

  void Expect(const std::string &way, const std::string &server, const std::string &line) const {
    const bool v4 = server == kServer4;
    std::cout << GetParam().name << '\t' << way << '\t' << server << '\t' << line << '\n';
    SCOPED_TRACE(way + " " + server + ": " + line);
    const Words words = absl::StrSplit(line, ' ');
    ASSERT_THAT(words, SizeIs(4));
    if (HasNoSource(way, GetParam().name)) {
      EXPECT_EQ(words[0], v4 ? kTelecomSource4 : kTelecomSource6);
      return;
    }
    if (GetParam().name == "pool") {
      EXPECT_THAT(words[0], v4 ? AnyOf(kUnicomSource4, kUnicomOtherSource4)
                               : AnyOf(kUnicomSource6, kUnicomOtherSource6));
    } else {
      EXPECT_EQ(words[0], v4 ? kUnicomSource4 : kUnicomSource6);
    }
    EXPECT_EQ(words[1], words[3]);
    if (!IsSent(way)) {
      EXPECT_EQ(words[0], words[2]);
    }
    int port = 0;
    ASSERT_TRUE(absl::SimpleAtoi(words[1], &port));
    EXPECT_EQ(port >= 20000 && port < 20200, HasPort(way, GetParam().name)) << port;
  }

  TempDir policy_ = TempDir::Make().value();
  std::optional<Process> server_;
};

INSTANTIATE_TEST_SUITE_P(
    , RunPathsTest,
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
                         "ports = \"20000-20199\"\n"}),
    [](const auto &kind) { return kind.param.name; });

TEST_P(RunPathsTest, LeaveWithTheRightSource) {
  Words flows;
  for (const Words &ways : {kStreams, kDatagrams, kMapped})
    for (const std::string &way : ways) {
      flows.insert(flows.end(), {way, kServer4});
      if (ways != kMapped) flows.insert(flows.end(), {way, kServer6});
    }
  Ask({"/usr/bin/python3", PROGRAMS "/ways.py"}, flows);
}

TEST_P(RunPathsTest, AlsoByIoUring) {
  Words flows;
  for (const std::string &way : kRing)
    for (const char *server : {kServer4, kServer6}) flows.insert(flows.end(), {way, server});
  Ask({URING}, flows);
}

}  // namespace
}  // namespace srcsel::lab
