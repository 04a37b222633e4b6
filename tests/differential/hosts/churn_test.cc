// While one thread flaps routes, addresses and links of a random host, another reads its state and
// compares flows. An answer counts if no change was heard between before the state was read and
// after the kernel answered; no such answer may be wrong.

#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "differential/hosts/compare.hh"
#include "differential/hosts/draw_flow.hh"
#include "differential/hosts/draw_host.hh"
#include "differential/hosts/live_host.hh"

namespace srcsel {
namespace {

constexpr int kHosts = 4;
constexpr int kReadings = 60;  // of each host
constexpr int kFlows = 8;      // a reading

struct Count {
  int current = 0, overtaken = 0;
  std::vector<std::string> wrong;
};

absl::Status CompareUnderChurn(Draw &draw, Count &count) {
  SRCSEL_ASSIGN_OR_RETURN(const RouteOracle kernel, RouteOracle::Open());
  SRCSEL_ASSIGN_OR_RETURN(Reading reading, Reading::Open());
  for (int i = 0; i < kReadings; ++i) {
    SRCSEL_RETURN_IF_ERROR(reading.Again());
    const FlowDrawer flows(reading.state());
    for (int j = 0; j < kFlows; ++j) {
      const Flow flow = flows.Next(draw);
      SRCSEL_ASSIGN_OR_RETURN(const Comparison comparison,
                              Compare(reading, kernel, Way::kLookup, flow));
      SRCSEL_ASSIGN_OR_RETURN(const bool holds, reading.Holds());
      if (!holds) {
        ++count.overtaken;
        break;
      }
      if (!comparison.asked) continue;
      ++count.current;
      if (!comparison.agrees)
        count.wrong.push_back(absl::StrCat(comparison.flow.ToString(),
                                           "\n  ours: ", InWords(comparison.ours),
                                           "\n  the kernel's: ", comparison.kernel));
    }
  }
  return absl::OkStatus();
}

// Lines that change what flows do, and undo it.
std::vector<std::string> Flaps(Draw &draw) {
  const std::string prefix = absl::StrCat("20.", draw.Below(3), ".0.0/16");
  const std::string prefix6 = absl::StrCat("fd20:", draw.Below(3), "::/32");
  const std::string number = absl::StrCat(draw.Below(100));
  return {"ip -4 route replace unreachable " + prefix + " table 100",
          "ip -4 route replace blackhole " + prefix + " table main",
          "ip -6 route replace unreachable " + prefix6 + " table main metric 1",
          "ip -4 addr add 10.77.0." + number + "/24 dev v0",
          "ip -4 rule add to " + prefix + " pref 5 prohibit",
          "ip -4 route del " + prefix + " table 100",
          "ip -4 route del " + prefix + " table main",
          "ip -6 route del " + prefix6 + " table main metric 1",
          "ip -4 addr del 10.77.0." + number + "/24 dev v0",
          "ip -4 rule del pref 5",
          "ip link set w0 down",
          "ip link set w0 up"};
}

TEST(Churn, NoAnswerThatIsCurrentIsWrong) {
  if (geteuid() != 0) GTEST_SKIP() << "making network namespaces needs root";
  if (!KernelIsAtLeast(6, 18)) GTEST_SKIP() << "Linux before 6.18 decides by other rules";
  const std::uint64_t seed = Seed();
  Count count;
  int flaps = 0;
  for (int i = 0; i < kHosts; ++i) {
    Draw draw(seed + static_cast<std::uint64_t>(i)), flapping(seed);
    absl::StatusOr<LiveHost> host = LiveHost::Make(DrawHost(draw).commands);
    ASSERT_TRUE(host.ok()) << host.status();
    std::atomic<bool> done = false;
    std::thread compares([&] {
      const absl::Status compared =
          lab::Within(host->netns(), [&] { return CompareUnderChurn(draw, count); });
      EXPECT_TRUE(compared.ok()) << compared;
      done = true;
    });
    for (; !done; ++flaps)
      for (const std::string &line : Flaps(flapping))
        if (!done && !host->Run({line}).ok()) ADD_FAILURE() << line;
    compares.join();
  }
  for (const std::string &wrong : count.wrong) ADD_FAILURE() << wrong;
  std::cout << flaps << " rounds of flaps, " << count.current << " answers of current states, "
            << count.overtaken << " readings overtaken by a change" << std::endl;
  EXPECT_GT(count.current, 0);
  EXPECT_GT(count.overtaken, 0);
}

}  // namespace
}  // namespace srcsel
