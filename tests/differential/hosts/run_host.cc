#include "differential/hosts/run_host.hh"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.hh"
#include "differential/hosts/draw_flow.hh"
#include "differential/hosts/draw_host.hh"
#include "differential/hosts/live_host.hh"
#include "differential/hosts/shrink.hh"
#include "differential/hosts/terms.hh"
#include "lookup/select.hh"

namespace srcsel {
namespace {

constexpr std::size_t kMostFindings = 2;  // of a host
constexpr int kMostWithout = 4;           // rules of a host and a family that are left out
constexpr int kFlowsWithout = 100;        // for each of them, of its family

// Compares again if the state was no longer what it had been, until it holds.
absl::StatusOr<Comparison> CompareWhatHolds(Reading &reading, const RouteOracle &kernel, Way way,
                                            const Flow &flow) {
  for (;;) {
    SRCSEL_ASSIGN_OR_RETURN(Comparison comparison, Compare(reading, kernel, way, flow));
    if (!comparison.asked || comparison.agrees) return comparison;
    SRCSEL_ASSIGN_OR_RETURN(const bool holds, reading.Holds());
    if (holds) return comparison;
    SRCSEL_RETURN_IF_ERROR(reading.Again());
  }
}

// In a namespace made for it alone. Nothing if they agree there.
absl::StatusOr<std::optional<Comparison>> ShowAgain(const std::vector<std::string> &commands,
                                                    const Comparison &found) {
  SRCSEL_ASSIGN_OR_RETURN(const LiveHost host, LiveHost::Make(commands));
  return lab::Within(host.netns(), [&]() -> absl::StatusOr<std::optional<Comparison>> {
    SRCSEL_ASSIGN_OR_RETURN(const RouteOracle kernel, RouteOracle::Open());
    SRCSEL_ASSIGN_OR_RETURN(Reading reading, Reading::Open());
    if (found.flow.oif != 0 && !reading.snapshot().FindLink(found.flow.oif)) return std::nullopt;
    SRCSEL_ASSIGN_OR_RETURN(Comparison again,
                            CompareWhatHolds(reading, kernel, found.way, found.flow));
    if (!again.asked || again.agrees || again.kernel != found.kernel) return std::nullopt;
    return again;
  });
}

std::string Describe(const DrawnHost &drawn, const Comparison &found) {
  std::optional<Comparison> shown;
  const auto shows = [&](const std::vector<std::string> &commands) {
    const absl::StatusOr<std::optional<Comparison>> again = ShowAgain(commands, found);
    if (!again.ok() || !*again) return false;
    shown = **again;
    return true;
  };
  std::string note;
  std::vector<std::string> commands = drawn.commands;
  if (shows(commands))
    commands = Shrink(std::move(commands), shows);
  else
    note = "  It does not show again in a new namespace.\n";
  const Comparison &last = shown ? *shown : found;
  return absl::StrCat(
      absl::StrJoin(commands, "\n"), "\n",
      last.way == Way::kLookup ? "  lookup of " : "  connect to ", last.flow.ToString(),
      last.flow.oif_strict ? "" : " (no strict oif)", last.flow.transparent ? " (transparent)" : "",
      last.flow.broadcast ? " (broadcast)" : "",
      last.flow.prefer ? absl::StrCat(" (prefer ", last.flow.prefer, ")") : "",
      "\n  ours: ", InWords(last.ours), "\n  the kernel's: ", last.kernel, "\n", note);
}

class HostRun {
 public:
  HostRun(std::uint64_t seed, int flows) : draw_(seed), drawn_(DrawHost(draw_)), flows_(flows) {}

  absl::StatusOr<HostReport> Run() {
    SRCSEL_ASSIGN_OR_RETURN(const LiveHost host, LiveHost::Make(drawn_.commands));
    SRCSEL_RETURN_IF_ERROR(lab::Within(host.netns(), [&] { return CompareFlows(); }));
    report_.tally.CountHost(drawn_.commands.size(), host.refused(), drawn_.hidden);
    for (const Comparison &found : found_) report_.findings.push_back(Describe(drawn_, found));
    return std::move(report_);
  }

 private:
  absl::Status CompareFlows() {
    SRCSEL_ASSIGN_OR_RETURN(const RouteOracle kernel, RouteOracle::Open());
    SRCSEL_ASSIGN_OR_RETURN(Reading reading, Reading::Open());
    const State first = reading.state();
    const FlowDrawer flows(first);
    for (int i = 0; i < flows_ && found_.size() < kMostFindings; ++i) {
      const Flow flow = flows.Next(draw_);
      for (const Way way : {Way::kLookup, Way::kConnect}) {
        SRCSEL_ASSIGN_OR_RETURN(const Comparison comparison,
                                CompareWhatHolds(reading, kernel, way, flow));
        if (!comparison.asked) continue;
        report_.tally.Count(reading.state(), comparison, drawn_.hidden);
        if (!comparison.agrees) found_.push_back(comparison);
      }
    }
    return CountWithout(first, flows);
  }

  absl::Status CountWithout(const State &state, const FlowDrawer &flows) {
    SRCSEL_ASSIGN_OR_RETURN(with_, Snapshot::Make(state, 1));
    for (const int family : {AF_INET, AF_INET6}) {
      SRCSEL_RETURN_IF_ERROR(CountWithoutRules(state, flows, family));
      SRCSEL_RETURN_IF_ERROR(CountWithoutThrows(state, flows, family));
    }
    return absl::OkStatus();
  }

  absl::Status CountWithoutRules(const State &state, const FlowDrawer &flows, int family) {
    int left = kMostWithout;
    for (std::size_t i = 0; i < state.rules.size(); ++i) {
      const std::string term = HandingOn(state.rules[i]);
      if (state.rules[i].family != family || term.empty() || --left < 0) continue;
      State without = state;
      without.rules.erase(without.rules.begin() + static_cast<std::ptrdiff_t>(i));
      SRCSEL_RETURN_IF_ERROR(CountChanged(std::move(without), flows, family,
                                          absl::StrCat(FamilyWord(family), "rule ", term)));
    }
    return absl::OkStatus();
  }

  absl::Status CountWithoutThrows(const State &state, const FlowDrawer &flows, int family) {
    State without = state;
    without.routes = {};
    for (std::size_t i = 0; i < state.routes.size(); ++i) {
      const Route route = state.routes.At(i);
      if (route.type != RTN_THROW || route.dst.address.family() != family)
        without.routes.push_back(route);
    }
    if (without.routes.size() == state.routes.size()) return absl::OkStatus();
    return CountChanged(std::move(without), flows, family,
                        absl::StrCat(FamilyWord(family), "route throw"));
  }

  // Those of some more flows that end otherwise.
  absl::Status CountChanged(State without, const FlowDrawer &flows, int family,
                            const std::string &term) {
    SRCSEL_ASSIGN_OR_RETURN(const auto other, Snapshot::Make(std::move(without), 1));
    for (int i = 0; i < kFlowsWithout; ++i) {
      const Flow flow = flows.Next(draw_, family);
      if (!(Select(*with_, flow).outcome == Select(*other, flow).outcome))
        report_.tally.CountWithout(term);
    }
    return absl::OkStatus();
  }

  Draw draw_;
  DrawnHost drawn_;
  int flows_;
  std::unique_ptr<const Snapshot> with_;
  HostReport report_;
  std::vector<Comparison> found_;
};

}  // namespace

absl::StatusOr<HostReport> RunHost(std::uint64_t seed, int flows) {
  return HostRun(seed, flows).Run();
}

}  // namespace srcsel
