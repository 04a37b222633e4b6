// bench_hooks: what the hooks take, action by action, as rules and their prefixes grow.
//
// Figures are the least of some rounds, in which all cells are measured in turn: what else the
// machine does can only make a hook seem slower.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/status.hh"
#include "base/terminal.hh"
#include "bench/hooks/hook_cost.hh"

namespace srcsel::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kRules[] = {1, 100, 1000};
constexpr int kPrefixes[] = {0, 100'000, 800'000};
constexpr Action kConnected[] = {Action::kMark, Action::kSource, Action::kTables, Action::kPool,
                                 Action::kPorts};
constexpr Action kSent[] = {Action::kMark, Action::kSource, Action::kPool};

struct Row {
  Hook hook;
  Action action;
  int prefixes;
  auto operator<=>(const Row &) const = default;

  std::string Name() const {
    return std::string(hook == Hook::kConnect ? "connect " : "sendmsg ") + NameOf(action);
  }
};

std::vector<Row> Rows() {
  std::vector<Row> rows;
  for (Action action : kConnected)
    for (int prefixes : kPrefixes) rows.push_back({Hook::kConnect, action, prefixes});
  for (Action action : kSent)
    for (int prefixes : kPrefixes) rows.push_back({Hook::kDatagram, action, prefixes});
  return rows;
}

using Costs = std::map<Row, std::map<int, double>>;

absl::Status MeasureRound(Costs &costs) {
  for (const Row &row : Rows()) {
    for (int rules : kRules) {
      SRCSEL_ASSIGN_OR_RETURN(const double ns,
                              HookCost(row.hook, row.action, {rules, row.prefixes}));
      const auto [at, first] = costs[row].emplace(rules, ns);
      if (!first) at->second = std::min(at->second, ns);
    }
  }
  return absl::OkStatus();
}

void Print(const Costs &costs) {
  std::printf("%-16s %9s", "hook, action", "prefixes");
  for (int rules : kRules) std::printf("  %5d rule%s        ", rules, rules == 1 ? " " : "s");
  std::printf("\n");
  for (const Row &row : Rows()) {
    const double least = costs.at({row.hook, row.action, 0}).at(1);
    std::printf("%-16s %9d", row.Name().c_str(), row.prefixes);
    for (const auto &[rules, ns] : costs.at(row))
      std::printf("  %6.0f ns  %5.2fx  ", ns, ns / least);
    std::printf("\n");
  }
}

Json ToJson(const Costs &costs) {
  Json out = Json::array();
  for (const Row &row : Rows())
    for (const auto &[rules, ns] : costs.at(row))
      out.push_back({{"hook", row.hook == Hook::kConnect ? "connect4" : "sendmsg4"},
                     {"action", NameOf(row.action)},
                     {"rules", rules},
                     {"prefixes", row.prefixes},
                     {"ns", ns},
                     {"ratio", ns / costs.at({row.hook, row.action, 0}).at(1)}});
  return out;
}

absl::Status Measure(int rounds, const std::string &path) {
  Costs costs;
  ProgressLine progress;
  for (int round = 0; round < rounds; ++round) {
    progress.Show("round ", round + 1, " of ", rounds);
    SRCSEL_RETURN_IF_ERROR(MeasureRound(costs));
  }
  progress.Clear();
  Print(costs);
  std::ofstream file(path);
  file << ToJson(costs).dump(2) << "\n";
  if (!file.flush()) return absl::UnavailableError("write " + path);
  std::printf("\nwritten to %s\n", path.c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace srcsel::bench

int main(int argc, char **argv) {
  int rounds = 2;
  std::string json = "build/bench/hooks.json";
  CLI::App app("Nanoseconds a run of the hooks, by the kernel's BPF run-time statistics.");
  app.add_option("--rounds", rounds, "rounds of all cells; the least counts")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--json", json, "where the figures go")->capture_default_str();
  app.footer(
      "\nJSON: a list of {hook, action, rules, prefixes, ns, ratio}; `ratio` is to one rule "
      "without "
      "prefixes.");
  CLI11_PARSE(app, argc, argv);
  if (const absl::Status status = srcsel::bench::Measure(rounds, json); !status.ok()) {
    std::fprintf(stderr, "bench_hooks: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  return 0;
}
