// Every way a program opens a flow, under every kind of rule: what the server sees, and that is
// what getsockname says. The providers drop what has the wrong source for the uplink it left by, so
// an answer also says that the way out was right. The table is printed.

#include <iostream>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {
namespace {

using ::testing::AnyOf;
using ::testing::SizeIs;

const Words kStreams{"tcp",    "nonblocking", "again-after-a-refusal", "bound-to-any",
                     "thread", "passed",      "fastopen-message",      "fastopen-connect",
                     "mptcp"};
const Words kDatagrams{"udp", "udp-again", "sendto", "sendmsg"};
const Words kMapped{"mapped", "sendto-mapped"};

// The port is taken before the hook can bind an address (EINVAL); a mark still works.
bool HasNoSource(const std::string &way, const std::string &kind) {
  return way == "bound-to-any" && kind != "mark";
}

// No hook may bind a socket that only sends (spec 9.2): it has a source, and any port.
bool HasPort(const std::string &way, const std::string &kind) {
  return kind == "ports" && !way.starts_with("send");
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
  Words Ask(const Words &flows) const {
    Words words{"/usr/bin/python3", PROGRAMS "/ways.py"};
    words.insert(words.end(), flows.begin(), flows.end());
    const Result asked = Run(Options(), words);
    EXPECT_TRUE(asked.ok()) << asked.ToString();
    return absl::StrSplit(asked.out, '\n', absl::SkipEmpty());
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
    if (!way.starts_with("send")) {
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
  const Words lines = Ask(flows);
  ASSERT_EQ(lines.size() * 2, flows.size());
  for (std::size_t i = 0; i < lines.size(); ++i) Expect(flows[2 * i], flows[2 * i + 1], lines[i]);
}

class RunPortsTest : public RunPathsTest {};

INSTANTIATE_TEST_SUITE_P(, RunPortsTest,
                         testing::Values(Kind{"few",
                                              {},
                                              "[[rule]]\nsource = \"10.1.0.1\"\n"
                                              "ports = \"20000-20049\"\non-fail = \"reject\"\n"}),
                         [](const auto &kind) { return kind.param.name; });

// 50 ports, 60 connections to each of two addresses of the server.
TEST_P(RunPortsTest, AreSharedBetweenDestinationsAndRunOut) {
  for (const char *server : {kServer4, kOtherServer4}) {
    std::map<std::string, int> outcomes;
    std::set<std::string> ports;
    Words flows;
    for (int i = 0; i < 60; ++i) flows.insert(flows.end(), {"tcp", server});
    for (const std::string &line : Ask(flows)) {
      const Words words = absl::StrSplit(line, ' ');
      ++outcomes[words[0]];
      if (words.size() == 4) ports.insert(words[3]);
    }
    EXPECT_EQ(outcomes, (std::map<std::string, int>{{"10.1.0.1", 50}, {"EADDRNOTAVAIL", 10}}));
    EXPECT_THAT(ports, SizeIs(50));
  }
}

}  // namespace
}  // namespace srcsel::lab
