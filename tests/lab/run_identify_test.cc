// srcsel identify and srcsel pids, of a process under `srcsel run` and of one beside it.

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "lab/connected.hh"
#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

class RunIdentifyTest : public RunTest {
 protected:
  Result Ask(Words words) const {
    words.insert(words.begin(), SRCSEL);
    Command command = Plain(std::move(words));
    command.env = {"SRCSEL_RUN_DIR=" + folder_.path() + "/run"};
    return client_.Run(command).value();
  }
  Json AskJson(Words words) const {
    words.emplace_back("--json");
    return Json::parse(Ask(std::move(words)).out, nullptr, false);
  }

  TempDir folder_ = TempDir::Make().value();
};

const Words kWaiting{DIAL, "-u", "-w", "-n", "2", kServer4, "53"};

TEST_F(RunIdentifyTest, AProcessUnderARun) {
  Process dial = Spawn({"--mark", "100"}, kWaiting);
  ASSERT_TRUE(dial.WaitForLine(" ").ok());
  const std::string pid = absl::StrCat(dial.pid());
  const std::string path = RunCgroupPath(), name = path.substr(path.rfind('/'));
  const Result identify = Ask({"identify", pid});
  EXPECT_EQ(identify.status, 0) << identify.ToString();
  EXPECT_THAT(identify.out, ::testing::StartsWith("run in cgroup /"));
  EXPECT_THAT(identify.out, ::testing::EndsWith(name + "\n"));
  const Json json = AskJson({"identify", pid});
  EXPECT_EQ(json["pid"], dial.pid());
  EXPECT_EQ(json["comm"], "dial");
  EXPECT_EQ(json["run"], json["cgroup"]);
  EXPECT_EQ(json["up"], false);
  EXPECT_TRUE(json["policy"].is_null() && json["preload"].is_null());
  EXPECT_THAT(Ask({"pids"}).out, HasSubstr(absl::StrCat(pid, " dial run in cgroup /")));
  const Json all = AskJson({"pids"});
  EXPECT_EQ(std::count(all.begin(), all.end(), json), 1) << all.dump();
}

TEST_F(RunIdentifyTest, AProcessUnderNone) {
  Process dial = client_.Spawn(Plain(kWaiting)).value();
  ASSERT_TRUE(dial.WaitForLine(" ").ok());
  const std::string pid = absl::StrCat(dial.pid());
  const Result identify = Ask({"identify", pid});
  EXPECT_EQ(identify.out, "none\n");
  EXPECT_EQ(identify.status, 1);
  for (const Json &one : AskJson({"pids"})) EXPECT_NE(one["pid"], dial.pid()) << one.dump();
}

TEST_F(RunIdentifyTest, AProcessUnderThePreload) {
  Command command = Plain(kConnected);
  command.env = {"LD_PRELOAD=" PRELOAD, "SRCSEL_SOURCE=10.1.0.2"};
  Process python = client_.Spawn(command).value();
  ASSERT_TRUE(python.WaitForLine(kUnicomOtherSource4).ok());
  const std::string pid = absl::StrCat(python.pid());
  EXPECT_EQ(Ask({"identify", pid}).out, "preload by SRCSEL_SOURCE=10.1.0.2: 1 source\n");
  const Json json = AskJson({"identify", pid});
  EXPECT_EQ(json["preload"], "SRCSEL_SOURCE=10.1.0.2");
  EXPECT_EQ(json["preload_counts"], Json({{"source", 1}}));
}

TEST_F(RunIdentifyTest, NoSuchProcess) {
  const Result gone = Ask({"identify", "4194305"});
  EXPECT_EQ(gone.status, 2);
  EXPECT_EQ(gone.err, "srcsel: there is no process 4194305\n");
  EXPECT_THAT(Ask({"identify", "me"}).err, HasSubstr("'me' is not the number of a process"));
  EXPECT_THAT(Ask({"identify"}).err, HasSubstr("srcsel identify PID"));
}

// The run's policy is not to be read; that there is one is told.
TEST_F(RunIdentifyTest, ExplainTellsOfTheRun) {
  Process dial = Spawn({"--mark", "100"}, kConnected);
  ASSERT_TRUE(dial.WaitForLine(kUnicomSource4).ok());
  const Result explain = Ask({"explain", "--pid", absl::StrCat(dial.pid())});
  EXPECT_THAT(explain.out, HasSubstr("  policy: that of `srcsel run` in cgroup /"));
  EXPECT_THAT(explain.out, HasSubstr("it would have the same source\n"));
}

}  // namespace
}  // namespace srcsel::lab
