// Every way a program opens a flow, under every kind of rule: what the server sees, that is what
// getsockname says, and by which device the packets left. The table is printed.

#include <optional>

#include "absl/strings/str_split.h"
#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"
#include "lab/ways.hh"

namespace srcsel::lab {
namespace {

class RunPathsTest : public RunTest, public testing::WithParamInterface<RuleKind> {
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

  // bound-to-any: the port is taken before the hook can bind an address (EINVAL); a mark still
  // works. No hook may bind a socket that only sends (spec 9.2): it has a source, and any port.
  static WayWanted Wanted(const std::string &way, const std::string & /*server*/) {
    const std::string &kind = GetParam().name;
    const bool is_sent = way.find("send") != std::string::npos && !way.ends_with("-on-connected");
    const bool is_unseen = way == "bound-to-any" || way == "ping-sendto" || way.starts_with("raw");
    return {.source = !is_unseen || kind == "mark",
            .port = kind == "ports" && !is_sent && !is_unseen,
            .named = !is_sent};
  }

  void Ask(Words program, const Words &flows) {
    program.insert(program.end(), flows.begin(), flows.end());
    const Result asked = Run(Options(), program);
    EXPECT_TRUE(asked.ok()) << asked.ToString();
    const Words lines = absl::StrSplit(asked.out, '\n', absl::SkipEmpty());
    ExpectWays(GetParam(), flows, lines, Wanted, egress_);
  }

  TempDir policy_ = TempDir::Make().value();
  std::optional<Process> server_;
  Egress egress_ = Egress::Start(client_).value();
};

INSTANTIATE_TEST_SUITE_P(, RunPathsTest, testing::ValuesIn(KindsOfRule(20000)),
                         [](const auto &kind) { return kind.param.name; });

TEST_P(RunPathsTest, LeaveWithTheRightSource) {
  Ask({"/usr/bin/python3", PROGRAMS "/ways.py"},
      FlowsOf({kWaysOfStreams, kWaysOfDatagrams, kOtherWays}, kWaysOfMapped));
}

// A connected ping socket is as any other. No hook sees a raw socket's connect() nor what either
// sends (spec 9.1): there a mark acts, set when the socket is made; a source cannot.
TEST_P(RunPathsTest, AlsoByEcho) {
  ASSERT_TRUE(RunPlain({"sysctl", "-qw", "net.ipv4.ping_group_range=0 0"}).ok());
  Ask({"/usr/bin/python3", PROGRAMS "/ways.py"}, FlowsOf({kWaysOfPing, kWaysOfRaw}, {}));
}

TEST_P(RunPathsTest, AlsoByIoUring) {
  Ask({URING}, FlowsOf({kWaysOfRing}, {}));
}

}  // namespace
}  // namespace srcsel::lab
