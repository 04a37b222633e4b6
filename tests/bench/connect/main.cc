// bench_connect: what a connection costs, way by way, side by side in one run: TCP connections, UDP
// exchanges, and the kernel's memory for connections that stay.
//
// Rounds are interleaved and their order rotates, so that whatever else the machine does falls on
// all ways alike; figures are medians over the rounds, and so are ratios of figures of one round.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/status.hh"
#include "base/terminal.hh"
#include "bench/connect/contender.hh"
#include "bench/connect/kernel_memory.hh"
#include "bench/connect/report.hh"
#include "bench/hook_time.hh"

namespace srcsel::bench {
namespace {

constexpr Way kTcpWays[] = {Way::kBare,  Way::kMark,   Way::kSource, Way::kPool,
                            Way::kPorts, Way::kMarked, Way::kTables, Way::kMasquerade};
constexpr Way kUdpWays[] = {Way::kBare,   Way::kMark,   Way::kSource,    Way::kPool,
                            Way::kMarked, Way::kTables, Way::kMasquerade};
constexpr Way kMemoryWays[] = {Way::kBare, Way::kSource, Way::kMasquerade};

struct Options {
  int rounds = 15;
  std::uint32_t connections = 2000, held = 20000;
  std::string json = "build/bench/connect.json";
};

template <typename T>
T Quantile(std::vector<T> values, double q) {
  const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

// One figure of one way: a value for each round.
struct Series {
  std::vector<double> rate, median_us, p99_us, cpu_us;

  void Add(const Round &round) {
    const auto count = static_cast<double>(round.latencies_ns.size());
    rate.push_back(count * 1e9 / static_cast<double>(round.elapsed_ns));
    median_us.push_back(Quantile(round.latencies_ns, 0.5) / 1e3);
    p99_us.push_back(Quantile(round.latencies_ns, 0.99) / 1e3);
    cpu_us.push_back(static_cast<double>(round.cpu_ns) / 1e3 / count);
  }
};

double MedianRatio(const std::vector<double> &values, const std::vector<double> &to) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < values.size(); ++i) ratios.push_back(values[i] / to[i]);
  return Quantile(ratios, 0.5);
}

constexpr std::pair<const char *, std::vector<double> Series::*> kFigures[] = {
    {"connections_per_second", &Series::rate},
    {"connect_median_us", &Series::median_us},
    {"connect_p99_us", &Series::p99_us},
    {"cpu_us_per_connection", &Series::cpu_us}};

absl::StatusOr<Json> MeasureWays(Transport transport, std::span<const Way> all,
                                 const Options &options) {
  const bool udp = transport == Transport::kUdp;
  std::vector<Contender> contenders;
  for (Way way : all) {
    SRCSEL_ASSIGN_OR_RETURN(
        Contender contender,
        Contender::Create(way, udp ? Acceptor::Manner::kAnswer : Acceptor::Manner::kClose));
    contenders.push_back(std::move(contender));
  }
  std::map<Way, Series> series;
  ProgressLine progress;
  for (int round = 0; round <= options.rounds; ++round) {
    progress.Show(udp ? "UDP" : "TCP", ": round ", round, " of ", options.rounds);
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      Contender &contender = contenders[(static_cast<std::size_t>(round) + i) % contenders.size()];
      SRCSEL_ASSIGN_OR_RETURN(const Round measured, contender.Connect(options.connections));
      if (round > 0) series[contender.way()].Add(measured);  // round 0 warms up
    }
  }
  SRCSEL_ASSIGN_OR_RETURN(const Fd statistics, EnableBpfStatistics());
  Json ways;
  for (Way way : all) {
    const Series &s = series[way];
    const auto contender = std::ranges::find(contenders, way, &Contender::way);
    Json &out = ways[NameOf(way)];
    for (const auto &[key, figure] : kFigures) {
      out[key] = {{"median", Quantile(s.*figure, 0.5)},
                  {"ratio_to_bare", MedianRatio(s.*figure, series[Way::kBare].*figure)}};
      if (IsMarkedByNetfilter(way))
        out[key]["ratio_to_marked"] = MedianRatio(s.*figure, series[Way::kMarked].*figure);
    }
    SRCSEL_ASSIGN_OR_RETURN(out["conntrack_entries"], contender->ConntrackEntries());
    if (contender->cgroup().empty()) continue;
    SRCSEL_RETURN_IF_ERROR(contender->Connect(options.connections).status());
    SRCSEL_ASSIGN_OR_RETURN(
        const HookTime time,
        ReadHookTime(contender->cgroup(), udp ? "srcsel_sendmsg4" : "srcsel_connect4"));
    out["hook_ns"] = time.PerRun();
    out["rate_ratio_to_masquerade"] = MedianRatio(s.rate, series[Way::kMasquerade].rate);
  }
  return ways;
}

absl::StatusOr<Json> MeasureHeld(std::uint32_t count) {
  Json out;
  ProgressLine progress;
  for (Way way : kMemoryWays) {
    progress.Show("memory of connections that stay: ", NameOf(way));
    SRCSEL_ASSIGN_OR_RETURN(const KernelMemory memory, MeasureMemory(way, count));
    out[NameOf(way)] = {{"kernel_bytes_per_connection", memory.bytes_per_connection},
                        {"conntrack_entries", memory.conntrack_entries}};
  }
  return out;
}

absl::Status Measure(const Options &options) {
  Json result;
  result["rounds"] = options.rounds;
  result["connections_per_round"] = options.connections;
  SRCSEL_ASSIGN_OR_RETURN(result["ways"], MeasureWays(Transport::kTcp, kTcpWays, options));
  SRCSEL_ASSIGN_OR_RETURN(result["udp"], MeasureWays(Transport::kUdp, kUdpWays, options));
  result["held_connections"] = options.held;
  SRCSEL_ASSIGN_OR_RETURN(result["held"], MeasureHeld(options.held));
  Print(result);
  std::ofstream file(options.json);
  file << result.dump(2) << "\n";
  if (!file.flush()) return absl::UnavailableError("write " + options.json);
  std::printf("\nwritten to %s\n", options.json.c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace srcsel::bench

int main(int argc, char **argv) {
  srcsel::bench::Options options;
  CLI::App app("Connections by a second uplink: bare, by srcsel's hooks, by MASQUERADE.");
  app.add_option("--rounds", options.rounds, "rounds of all ways, interleaved")
      ->capture_default_str();
  app.add_option("--connections", options.connections, "connections a round")
      ->capture_default_str();
  app.add_option("--held", options.held, "connections that stay, for the kernel's memory")
      ->capture_default_str()
      ->check(CLI::Range(100, 26000));
  app.add_option("--json", options.json, "where the figures go")->capture_default_str();
  app.footer(srcsel::bench::ReportKeys());
  CLI11_PARSE(app, argc, argv);
  if (const absl::Status status = srcsel::bench::Measure(options); !status.ok()) {
    std::fprintf(stderr, "bench_connect: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  return 0;
}
