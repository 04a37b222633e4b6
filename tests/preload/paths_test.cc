// Every way a program opens a flow, under every kind of rule, by an ordinary user under the
// preload: what the server sees, and that is what getsockname says. The table of
// tests/lab/run_paths_test.cc, without a mark.

#include <optional>

#include "lab/ways.hh"
#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

class PreloadPathsTest : public PreloadTest, public testing::WithParamInterface<RuleKind> {
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

  // The program has taken the port of bound-to-any: that socket cannot be bound any more.
  static WayWanted Wanted(const std::string &way) {
    const bool is_sent = way.starts_with("send"), is_bound = way == "bound-to-any";
    return {.source = !is_bound,
            .port = GetParam().name == "ports" && !is_sent && !is_bound,
            .named = !is_sent};
  }

  std::optional<Process> server_;
};

INSTANTIATE_TEST_SUITE_P(, PreloadPathsTest, testing::ValuesIn(KindsOfRule(40000)),
                         [](const auto &kind) { return kind.param.name; });

TEST_P(PreloadPathsTest, LeaveWithTheRightSource) {
  const Words flows = FlowsOf({kWaysOfStreams, kWaysOfDatagrams}, kWaysOfMapped);
  Words words{"/usr/bin/python3", here_.path() + "/ways.py"};
  words.insert(words.end(), flows.begin(), flows.end());
  const Words lines = Lines(Srcsel(Options(), words));
  ASSERT_EQ(lines.size() * 2, flows.size());
  for (std::size_t i = 0; i < lines.size(); ++i)
    ExpectWay(GetParam(), flows[2 * i], flows[2 * i + 1], lines[i], Wanted(flows[2 * i]));
}

}  // namespace
}  // namespace srcsel::lab
