// Every way a program opens a flow, under every kind of rule, by an ordinary user under the
// preload: what the server sees, that is what getsockname says, and by which device the packets
// left. The table of tests/lab/run_paths_test.cc, without a mark. Beside what cannot be had stands
// the reason.

#include <algorithm>
#include <optional>

#include "lab/ways.hh"
#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

class PreloadPathsTest : public PreloadTest, public testing::WithParamInterface<RuleKind> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(RouteBySource(lab_).ok());
    ASSERT_TRUE(client_.SetSysctl("net.ipv4.ping_group_range", "65534 65534").ok());
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
  Words Python() const { return {"/usr/bin/python3", here_.path() + "/ways.py"}; }

  static bool IsSent(const std::string &way) {
    return way.find("send") != std::string::npos && !way.ends_with("-on-connected");
  }
  static absl::string_view WhyNoSource(const std::string &way, const std::string &server) {
    if (way == "bound-to-any") return "the program has taken the port: no source can be bound";
    if (way == "ping-sendto" && server == kServer6)
      return "the kernel forgets an IPv6 ping's source";
    if (way.starts_with("raw")) return "raw sockets are left alone";
    if (std::ranges::count(kWaysOfRing, way) != 0) return "io_uring does not pass through libc";
    return "";
  }
  static absl::string_view WhyNoPort(const std::string &way) {
    if (GetParam().name != "ports") return "";
    if (way.starts_with("ping")) return "the kernel has no range for what pings have as a port";
    return IsSent(way) ? "what does not connect has any port" : "";
  }
  static WayWanted Wanted(const std::string &way, const std::string &server) {
    const absl::string_view no_source = WhyNoSource(way, server), no_port = WhyNoPort(way);
    return {.source = no_source.empty(),
            .port = GetParam().name == "ports" && no_source.empty() && no_port.empty(),
            .named = !IsSent(way),
            .why = no_source.empty() ? no_port : no_source};
  }

  static Words With(Words program, const Words &flows) {
    program.insert(program.end(), flows.begin(), flows.end());
    return program;
  }

  std::optional<Process> server_;
  Egress egress_ = Egress::Start(lab_.host("client")).value();
};

INSTANTIATE_TEST_SUITE_P(, PreloadPathsTest, testing::ValuesIn(KindsOfRule(40000)),
                         [](const auto &kind) { return kind.param.name; });

TEST_P(PreloadPathsTest, LeaveWithTheRightSource) {
  const Words flows =
      FlowsOf({kWaysOfStreams, kWaysOfDatagrams, kOtherWays, kWaysOfPing}, kWaysOfMapped);
  ExpectWays(GetParam(), flows, Lines(Srcsel(Options(), With(Python(), flows))), Wanted, egress_);
}

// What the preload does not reach has the kernel's choice. Raw sockets are root's.
TEST_P(PreloadPathsTest, ThoseOutOfReach) {
  const Words raw = FlowsOf({kWaysOfRaw}, {});
  Words flows = FlowsOf({kWaysOfRing}, {});
  Command ring = Srcsel(Options(), With({URING}, flows));
  ring.env = {"ASAN_OPTIONS=verify_asan_link_order=0"};
  Words lines = Lines(ring);
  const Words of_raw = Lines({.argv = SrcselWords(Options(), With(Python(), raw))});
  flows.insert(flows.end(), raw.begin(), raw.end());
  lines.insert(lines.end(), of_raw.begin(), of_raw.end());
  ExpectWays(GetParam(), flows, lines, Wanted, egress_);
}

}  // namespace
}  // namespace srcsel::lab
