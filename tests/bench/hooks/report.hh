// The figures of bench_hooks: as a table, and as JSON.

#pragma once

#include <compare>
#include <map>
#include <string>
#include <utility>

#include <nlohmann/json_fwd.hpp>

#include "bench/hooks/hook_cost.hh"

namespace srcsel::bench {

struct Row {
  Hook hook;
  Action action;
  int prefixes;
  auto operator<=>(const Row &) const = default;

  std::string Name() const;  // "connect mark"
};

struct Costs {
  std::map<Row, std::map<int, double>> ours;        // by policy rules
  std::map<Hook, double> nothing;                   // an empty program
  std::map<std::pair<Hook, Action>, double> least;  // the action's calls alone
};

void Print(const Costs &costs);
nlohmann::ordered_json ToJson(const Costs &costs);

}  // namespace srcsel::bench
