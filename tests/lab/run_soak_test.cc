// Policies replaced as fast as the kernel allows, while eight threads connect: every connection has
// source and port of one policy, never of both.
//
// SRCSEL_SOAK is how many times they are replaced; `./tools/dev test --long` does so for a minute.

#include <fcntl.h>

#include <chrono>
#include <cstdlib>
#include <set>
#include <thread>

#include "agent/hook_mirror.hh"
#include "hooks/hooks.hh"
#include "lab/run_crowd.hh"
#include "lab/run_scene.hh"
#include "policy/policy.hh"

namespace srcsel::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Policy From(const char *source, std::uint16_t first) {
  PolicyRule rule;
  rule.sources = {IpAddress::Parse(source).value()};
  rule.ports = Range16{first, static_cast<std::uint16_t>(first + 9999)};
  return Policy{{rule}};
}

int Swaps() {
  const char *wanted = std::getenv("SRCSEL_SOAK");
  return wanted ? std::atoi(wanted) : 100;
}

using RunSoakTest = RunTest;

TEST_F(RunSoakTest, EveryConnectionIsOfOnePolicy) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  const Nginx nginx = Nginx::Start(lab_.host("server"), /*access_log=*/false).value();
  const Policy policies[] = {From(kUnicomSource4, 20000), From(kUnicomOtherSource4, 30000)};
  auto mirror = Within(client_.netns().fd(), [] { return HookMirror::Start(); });
  auto hooks = Hooks::Load();
  ASSERT_TRUE(mirror.ok() && hooks.ok()) << mirror.status() << hooks.status();
  ASSERT_TRUE(mirror->Publish(policies[0], *hooks).ok());
  ASSERT_TRUE(hooks->Attach(Fd(open(cgroup_.path().c_str(), O_RDONLY | O_DIRECTORY))).ok());

  Process crowd =
      client_.Spawn(Plain({CROWD, "-r", "-t", "8", kServer4, "80", kOtherServer4, "80"})).value();
  ASSERT_TRUE(crowd.WaitForLine(" ").ok());
  // Read all the time: who cannot write a line makes no connection.
  Result result;
  std::thread reader([&] { result = crowd.Wait(std::chrono::minutes(5)); });
  absl::Status swapped;
  for (int i = 1; i <= Swaps() && swapped.ok(); ++i)
    swapped = mirror->Publish(policies[i % 2], *hooks);
  crowd.CloseInput();
  reader.join();
  ASSERT_TRUE(swapped.ok()) << swapped;
  ASSERT_TRUE(result.ok()) << result.ToString();

  const std::vector<Attempt> attempts = AttemptsIn(result.out);
  EXPECT_THAT(Outcomes(attempts), ElementsAre(Pair("", testing::Gt(Swaps()))));
  std::set<std::pair<std::string, int>> seen;
  for (const Attempt &attempt : attempts) seen.emplace(attempt.source, attempt.port / 10000);
  EXPECT_THAT(seen, ElementsAre(Pair(kUnicomSource4, 2), Pair(kUnicomOtherSource4, 3)));
  RecordProperty("connections", static_cast<int>(attempts.size()));
}

}  // namespace
}  // namespace srcsel::lab
