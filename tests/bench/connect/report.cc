#include "bench/connect/report.hh"

#include <cmath>
#include <cstdio>
#include <string>

namespace srcsel::bench {
namespace {

constexpr const char *kColumns[] = {"connections_per_second", "connect_median_us", "connect_p99_us",
                                    "cpu_us_per_connection"};

void PrintHead(const char *title) {
  std::printf("%-12s%8s %6s  %8s %6s  %8s %6s  %8s %6s", title, "conn/s", "ratio", "median",
              "ratio", "p99", "ratio", "cpu", "ratio");
}

// The figures of a way beside their ratios to another's, where it has them.
void PrintFigures(const std::string &name, const Json &way, const char *ratio) {
  std::printf("%-11s", name.c_str());
  for (const char *key : kColumns)
    std::printf(way[key]["median"] >= 1000 ? " %8.0f %5.2fx " : " %6.1fus %5.2fx ",
                way[key]["median"].get<double>(), way[key][ratio].get<double>());
}

std::string TimeOfHook(const Json &way) {
  if (!way.contains("hook_ns")) return "-";
  return std::to_string(std::lround(way["hook_ns"].get<double>())) + "ns";
}

void PrintWays(const char *title, const Json &ways) {
  PrintHead(title);
  std::printf("  %6s %9s\n", "hook", "conntrack");
  for (const auto &[name, way] : ways.items()) {
    PrintFigures(name, way, "ratio_to_bare");
    std::printf(" %6s %9d\n", TimeOfHook(way).c_str(), way["conntrack_entries"].get<int>());
  }
  std::printf("\n");
}

void PrintMarked(const Json &ways) {
  PrintHead("to marked");
  std::printf("\n");
  for (const auto &[name, way] : ways.items()) {
    if (!way[kColumns[0]].contains("ratio_to_marked")) continue;
    PrintFigures(name, way, "ratio_to_marked");
    std::printf("\n");
  }
  std::printf("\n");
}

void PrintHeld(const Json &held) {
  const auto bytes = [](const Json &way) {
    return way["kernel_bytes_per_connection"].get<double>();
  };
  const double bare = bytes(held["bare"]);
  std::printf("%-11s %18s %8s %9s\n", "held", "kernel memory", "to bare", "conntrack");
  for (const auto &[name, way] : held.items())
    std::printf("%-11s %9.0f B a conn. %+6.0f B %9d\n", name.c_str(), bytes(way), bytes(way) - bare,
                way["conntrack_entries"].get<int>());
}

}  // namespace

const char *ReportKeys() {
  return R"(
Ways: bare        by the main default, nothing in the path
      mark        srcsel marks the socket
      source      srcsel binds a fixed source, a `from` rule routes it
      pool        srcsel binds one of two sources, by the destination's hash
      ports       srcsel binds a source and one of 20,000 ports
      marked      iptables marks; the main default had given the right source anyway
      tables      iptables marks; srcsel binds the source that the tables give for the mark
      masquerade  iptables marks; MASQUERADE translates
The last three pay for the mark and the reroute of each packet: compare them with "marked".

JSON, below "ways" (TCP connections) or "udp" (a datagram and its answer) and the name of a way:
  connections_per_second, connect_median_us, connect_p99_us, cpu_us_per_connection: each
      {"median", "ratio_to_bare"} over the rounds, and "ratio_to_marked" where iptables marks
  conntrack_entries         left by all rounds
  hook_ns                   nanoseconds a run of the hook, with srcsel
  rate_ratio_to_masquerade  of connections_per_second, with srcsel
below "held" and the name of a way:
  kernel_bytes_per_connection, conntrack_entries: of "held_connections" that stay, both ends
)";
}

void Print(const Json &report) {
  PrintWays("TCP, to bare", report["ways"]);
  PrintMarked(report["ways"]);
  PrintWays("UDP, to bare", report["udp"]);
  PrintHeld(report["held"]);
}

}  // namespace srcsel::bench
