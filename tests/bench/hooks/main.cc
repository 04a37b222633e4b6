// bench_hooks: what the hooks take, action by action, as rules and their prefixes grow.
//
// Figures are the least of some rounds, in which all cells are measured in turn: what else the
// machine does can only make a hook seem slower. Beside them stands what programs take, in the same
// rounds, that only make an action's calls of the kernel: that much no hook can save.

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
#include "bench/hooks/least_cost.hh"
#include "bench/hooks/report.hh"

namespace srcsel::bench {
namespace {

constexpr int kRules[] = {1, 100, 1000};
constexpr int kPrefixes[] = {0, 100'000, 800'000};
constexpr Action kConnected[] = {Action::kMark, Action::kSource, Action::kTables, Action::kPool,
                                 Action::kPorts};
constexpr Action kSent[] = {Action::kMark, Action::kMarked, Action::kSource, Action::kPool};

std::vector<Row> RowsWith(const std::string &word) {
  std::vector<Row> rows;
  for (Action action : kConnected)
    for (int prefixes : kPrefixes) rows.push_back({Hook::kConnect, action, prefixes});
  for (Action action : kSent)
    for (int prefixes : kPrefixes) rows.push_back({Hook::kDatagram, action, prefixes});
  std::erase_if(rows, [&](const Row &row) { return row.Name().find(word) == std::string::npos; });
  return rows;
}

template <typename Key>
void Keep(std::map<Key, double> &least, const Key &key, double ns) {
  const auto [at, first] = least.emplace(key, ns);
  if (!first) at->second = std::min(at->second, ns);
}

absl::Status MeasureLeast(const Row &row, Costs &costs) {
  SRCSEL_ASSIGN_OR_RETURN(const double nothing, NothingCost(row.hook));
  Keep(costs.nothing, row.hook, nothing);
  SRCSEL_ASSIGN_OR_RETURN(const double least, LeastCost(row.hook, row.action));
  Keep(costs.least, {row.hook, row.action}, least);
  return absl::OkStatus();
}

absl::Status MeasureRound(const std::vector<Row> &rows, Costs &costs) {
  for (const Row &row : rows) {
    if (row.prefixes == 0) SRCSEL_RETURN_IF_ERROR(MeasureLeast(row, costs));
    for (int rules : kRules) {
      SRCSEL_ASSIGN_OR_RETURN(const double ns,
                              HookCost(row.hook, row.action, {rules, row.prefixes}));
      Keep(costs.ours[row], rules, ns);
    }
  }
  return absl::OkStatus();
}

absl::Status Measure(int rounds, const std::string &word, const std::string &path) {
  const std::vector<Row> rows = RowsWith(word);
  if (rows.empty()) return absl::NotFoundError("no row has \"" + word + "\" in its name");
  Costs costs;
  ProgressLine progress;
  for (int round = 0; round < rounds; ++round) {
    progress.Show("round ", round + 1, " of ", rounds);
    SRCSEL_RETURN_IF_ERROR(MeasureRound(rows, costs));
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
  std::string word, json = "build/bench/hooks.json";
  CLI::App app("Nanoseconds a run of the hooks, by the kernel's BPF run-time statistics.");
  app.add_option("--rounds", rounds, "rounds of all cells; the least counts")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--only", word, R"(rows with this in their names: "connect mark", "sendmsg")");
  app.add_option("--json", json, "where the figures go")->capture_default_str();
  app.footer(
      "\nJSON: a list of {hook, action, rules, prefixes, ns, ratio, nothing_ns, least_ns}; `ratio` "
      "is to one rule without prefixes, `nothing_ns` what an empty program takes, `least_ns` one "
      "that only makes the action's calls of the kernel.");
  CLI11_PARSE(app, argc, argv);
  if (const absl::Status status = srcsel::bench::Measure(rounds, word, json); !status.ok()) {
    std::fprintf(stderr, "bench_hooks: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  return 0;
}
