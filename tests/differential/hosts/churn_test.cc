// While one thread flaps routes, addresses and links of a random host, another has a Mirror follow
// them and compares its answers with the kernel's, and a third only asks. An answer counts if the
// mirror has heard of no change when the kernel has answered: it is current, and of the same
// generation as before. No such answer may be wrong.

#include <poll.h>

#include <atomic>
#include <iostream>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "differential/hosts/compare.hh"
#include "differential/hosts/draw_flow.hh"
#include "differential/hosts/draw_host.hh"
#include "differential/hosts/live_host.hh"
#include <srcsel/mirror.hh>

namespace srcsel {
namespace {

constexpr int kHosts = 4;
constexpr int kReadings = 60;  // of each host
constexpr int kFlows = 8;      // a reading

struct Count {
  int current = 0, overtaken = 0, early = 0;
  std::uint64_t generations = 0;
  std::vector<std::string> wrong;
};

absl::Status BecomeCurrent(Mirror &mirror) {
  const lab::Deadline deadline(lab::kPatience);
  SRCSEL_RETURN_IF_ERROR(mirror.Process());
  while (!mirror.current()) {
    pollfd work{mirror.fd(), POLLIN, 0};
    if (poll(&work, 1, deadline.PollTimeout()) == 0)
      return absl::DeadlineExceededError("wait for a mirror to be current");
    SRCSEL_RETURN_IF_ERROR(mirror.Process());
  }
  return absl::OkStatus();
}

// Asks while the mirror works and follows.
class Reader {
 public:
  Reader(const Mirror &mirror, const Flow &flow)
      : thread_([this, &mirror, flow] {
          for (std::uint64_t last = 0; !done_;) {
            const absl::StatusOr<Selection> selection = mirror.Select(flow);
            strange_ += !selection.ok() || selection->generation < last;
            last = selection.ok() ? selection->generation : last;
            ++answers_;
          }
        }) {}
  ~Reader() {
    done_ = true;
    thread_.join();
    EXPECT_EQ(strange_, 0) << "answers that are none, or of an older state than the one before";
    EXPECT_GT(answers_, 0);
  }

 private:
  std::atomic<bool> done_ = false;
  int strange_ = 0, answers_ = 0;
  std::thread thread_;
};

class Comparer {
 public:
  // `changing` is held by whoever is changing the host.
  Comparer(Draw &draw, std::mutex &changing, Count &count)
      : draw_(draw), changing_(changing), count_(count) {}

  absl::Status Run() {
    SRCSEL_ASSIGN_OR_RETURN(const RouteOracle kernel, RouteOracle::Open());
    SRCSEL_ASSIGN_OR_RETURN(const Reading first, Reading::Open());
    SRCSEL_ASSIGN_OR_RETURN(const std::unique_ptr<Mirror> mirror,
                            Mirror::Open({.threadless = true}));
    const FlowDrawer flows(first.state());
    const Reader reader(*mirror, flows.Next(draw_));
    for (int i = 0; i < kReadings; ++i)
      SRCSEL_RETURN_IF_ERROR(CompareWhileCurrent(*mirror, first, kernel, flows));
    count_.generations += mirror->generation();
    return absl::OkStatus();
  }

 private:
  absl::Status CompareWhileCurrent(Mirror &mirror, const Reading &first, const RouteOracle &kernel,
                                   const FlowDrawer &flows) {
    SRCSEL_RETURN_IF_ERROR(BecomeCurrent(mirror));
    const std::uint64_t generation = mirror.generation();
    const auto ours = [&](Way way, const Flow &flow) {
      return way == Way::kLookup ? mirror.Lookup(flow) : mirror.Select(flow);
    };
    for (int i = 0; i < kFlows; ++i) {
      const Way way = draw_.Once(2) ? Way::kLookup : Way::kConnect;
      SRCSEL_ASSIGN_OR_RETURN(const Comparison comparison,
                              Compare(first, kernel, way, flows.Next(draw_), ours));
      SRCSEL_RETURN_IF_ERROR(mirror.Process());
      // The kernel acts on a change before it announces it.
      const bool early = comparison.asked && !comparison.agrees && IsStill(mirror, generation);
      if (early) {
        const std::lock_guard at_rest(changing_);
        SRCSEL_RETURN_IF_ERROR(mirror.Process());
      }
      if (!IsStill(mirror, generation)) {
        ++count_.overtaken;
        count_.early += early;
        return absl::OkStatus();
      }
      if (comparison.asked) Take(comparison);
    }
    return absl::OkStatus();
  }

  static bool IsStill(const Mirror &mirror, std::uint64_t generation) {
    return mirror.current() && mirror.generation() == generation;
  }

  void Take(const Comparison &comparison) {
    ++count_.current;
    if (comparison.agrees) return;
    count_.wrong.push_back(absl::StrCat(comparison.flow.ToString(),
                                        "\n  ours: ", InWords(comparison.ours),
                                        "\n  the kernel's: ", comparison.kernel));
  }

  Draw &draw_;
  std::mutex &changing_;
  Count &count_;
};

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
    std::mutex changing;
    std::thread compares([&] {
      const absl::Status compared =
          lab::Within(host->netns(), [&] { return Comparer(draw, changing, count).Run(); });
      EXPECT_TRUE(compared.ok()) << compared;
      done = true;
    });
    for (; !done; ++flaps)
      for (const std::string &line : Flaps(flapping)) {
        const std::lock_guard at_work(changing);
        if (!done && !host->Run({line}).ok()) ADD_FAILURE() << line;
      }
    compares.join();
  }
  for (const std::string &wrong : count.wrong) ADD_FAILURE() << wrong;
  std::cout << flaps << " rounds of flaps, " << count.generations << " generations, "
            << count.current << " answers that were current, " << count.overtaken
            << " times overtaken by a change, " << count.early << " of them before it was announced"
            << std::endl;
  EXPECT_GT(count.current, 0);
  EXPECT_GT(count.overtaken, 0);
  EXPECT_GT(count.generations, static_cast<std::uint64_t>(2 * kHosts));
}

}  // namespace
}  // namespace srcsel
