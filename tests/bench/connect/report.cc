#include "bench/connect/report.hh"

#include <cmath>
#include <cstdio>
#include <string>

namespace srcsel::bench {
namespace {

constexpr const char *kFigures[] = {"connections_per_second", "connect_median_us", "connect_p99_us",
                                    "cpu_us_per_connection"};

void PrintHead(const char *title) {
  std::printf("%-11s %8s %6s  %8s %6s  %8s %6s  %8s %6s", title, "conn/s", "ratio", "median",
              "ratio", "p99", "ratio", "cpu", "ratio");
}

// The figures of a way beside their ratios to another's, where it has them.
void PrintFigures(const std::string &name, const Json &way, const char *ratio) {
  std::printf("%-11s", name.c_str());
  for (const char *key : kFigures)
    std::printf(way[key]["median"] >= 1000 ? " %8.0f %5.2fx " : " %6.1fus %5.2fx ",
                way[key]["median"].get<double>(), way[key][ratio].get<double>());
}

std::string HookTime(const Json &way) {
  if (!way.contains("hook_ns")) return "-";
  return std::to_string(std::lround(way["hook_ns"].get<double>())) + "ns";
}

void PrintWays(const Json &ways) {
  PrintHead("to bare");
  std::printf("  %6s %9s\n", "hook", "conntrack");
  for (const auto &[name, way] : ways.items()) {
    PrintFigures(name, way, "ratio_to_bare");
    std::printf(" %6s %9d\n", HookTime(way).c_str(), way["conntrack_entries"].get<int>());
  }
  std::printf("\n");
  PrintHead("to marked");
  std::printf("\n");
  for (const auto &[name, way] : ways.items()) {
    if (!way[kFigures[0]].contains("ratio_to_marked")) continue;
    PrintFigures(name, way, "ratio_to_marked");
    std::printf("\n");
  }
}

void PrintScale(const Json &scales) {
  std::printf("\n%-11s %8s %22s %6s\n", "hook", "1 rule", "1,000 rules, 100k pfx", "ratio");
  for (const auto &[name, scale] : scales.items())
    std::printf("%-11s %6.0fns %20.0fns %5.2fx\n", name.c_str(), scale["one_rule_ns"].get<double>(),
                scale["thousand_rules_100k_prefixes_ns"].get<double>(),
                scale["ratio"].get<double>());
}

}  // namespace

const char kReportKeys[] = R"(
Ways: bare        by the main default, nothing in the path
      mark        srcsel marks the socket
      source      srcsel binds a fixed source, a `from` rule routes it
      marked      iptables marks; the main default had given the right source anyway
      tables      iptables marks; srcsel binds the source that the tables give for the mark
      masquerade  iptables marks; MASQUERADE translates
The last three pay for the mark and the reroute of each packet: compare them with "marked".

JSON, below "ways" and the name of a way:
  connections_per_second, connect_median_us, connect_p99_us, cpu_us_per_connection: each
      {"median", "ratio_to_bare"} over the rounds, and "ratio_to_marked" where iptables marks
  conntrack_entries         left by all rounds
  hook_ns                   nanoseconds a run of the hook, with srcsel
  rate_ratio_to_masquerade  of connections_per_second, with srcsel
below "scale" and the name of a way with srcsel:
  one_rule_ns, thousand_rules_100k_prefixes_ns, ratio: the hook as policy and tables grow
)";

void Print(const Json &report) {
  PrintWays(report["ways"]);
  PrintScale(report["scale"]);
}

}  // namespace srcsel::bench
