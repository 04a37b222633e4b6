#include "bench/hooks/report.hh"

#include <cstdio>

#include <nlohmann/json.hpp>

namespace srcsel::bench {
namespace {

// With one rule and no prefixes.
double SmallestOf(const Costs &costs, const Row &row) {
  return costs.ours.at({row.hook, row.action, 0}).at(1);
}

void PrintGrowth(const Costs &costs) {
  std::printf("%-16s %9s", "hook, action", "prefixes");
  for (const auto &[rules, ns] : costs.ours.begin()->second)
    std::printf("  %5d rule%s        ", rules, rules == 1 ? " " : "s");
  std::printf("\n");
  for (const auto &[row, by_rules] : costs.ours) {
    std::printf("%-16s %9d", row.Name().c_str(), row.prefixes);
    for (const auto &[rules, ns] : by_rules)
      std::printf("  %6.0f ns  %5.2fx  ", ns, ns / SmallestOf(costs, row));
    std::printf("\n");
  }
}

// What the engine adds to what the kernel takes for the same.
void PrintBeyond(const Costs &costs) {
  std::printf("\n%-16s %9s %9s %9s\n", "hook, action", "nothing", "its calls", "1 rule");
  for (const auto &[row, by_rules] : costs.ours) {
    if (row.prefixes != 0) continue;
    const double least = costs.least.at({row.hook, row.action}), ns = by_rules.at(1);
    std::printf("%-16s %6.0f ns %6.0f ns %6.0f ns  %5.2fx  %+6.0f ns\n", row.Name().c_str(),
                costs.nothing.at(row.hook), least, ns, ns / least, ns - least);
  }
}

}  // namespace

std::string Row::Name() const {
  return (hook == Hook::kConnect ? "connect " : "sendmsg ") + NameOf(action);
}

void Print(const Costs &costs) {
  PrintGrowth(costs);
  PrintBeyond(costs);
}

nlohmann::ordered_json ToJson(const Costs &costs) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const auto &[row, by_rules] : costs.ours)
    for (const auto &[rules, ns] : by_rules)
      out.push_back({{"hook", row.hook == Hook::kConnect ? "connect4" : "sendmsg4"},
                     {"action", NameOf(row.action)},
                     {"rules", rules},
                     {"prefixes", row.prefixes},
                     {"ns", ns},
                     {"ratio", ns / SmallestOf(costs, row)},
                     {"nothing_ns", costs.nothing.at(row.hook)},
                     {"least_ns", costs.least.at({row.hook, row.action})}});
  return out;
}

}  // namespace srcsel::bench
