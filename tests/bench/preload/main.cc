// bench_preload: what the preload costs an ordinary user's program: each connect(), and its start.
//
// By hand: a program that makes the same calls itself, which is what they cost on this machine.
// Rounds are interleaved and their order rotates. A figure is the median over the rounds of a
// round's median; what a way costs more than none at all is taken within each round.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "base/terminal.hh"
#include "lab/two_uplinks.hh"

namespace srcsel::bench {
namespace {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

struct Options {
  int rounds = 15, connections = 2000, starts = 200;
  std::string json = "build/bench/preload.json";
};

struct Way {
  const char *name;
  Words before;     // the worker
  double floor_us;  // that a connect() may cost more; 0: none
};

struct Measure {
  const char *name;
  Words worker;
  double floor_us;  // that it may cost more by any way; 0: the way's own
};

const Words kNobody{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
constexpr char kPreload[] = "LD_PRELOAD=" LIBRARY;

std::vector<Way> Ways() {
  const Words run{SRCSEL, "run", "-q", "--via", "preload"};
  const auto with = [](Words words, const Words &more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  return {{"none", {}, 0},
          {"by hand, source", {"env", "BY_HAND=10.0.0.1"}, 0},
          {"image, source", with(run, {"--source", "10.0.0.1", "--"}), 2},
          {"image, mark", with(run, {"--mark", "100", "--"}), 2},
          {"by hand, kernel", {"env", "BY_HAND=10.0.0.1", "ASK=1"}, 0},
          {"kernel, source", {"env", kPreload, "SRCSEL_SOURCE=10.0.0.1"}, 5},
          {"kernel, mark", {"env", kPreload, "SRCSEL_MARK=100"}, 5}};
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

absl::StatusOr<double> Run(const lab::Host &client, const Way &way, const Measure &measure) {
  lab::Command command{.argv = kNobody};
  for (const Words &words : {way.before, Words{WORKER}, measure.worker})
    command.argv.insert(command.argv.end(), words.begin(), words.end());
  SRCSEL_ASSIGN_OR_RETURN(const lab::Result result, client.Run(command));
  double ns = 0;
  if (!result.ok() || !absl::SimpleAtod(result.out, &ns))
    return absl::InternalError(absl::StrCat(command.ToString(), ": ", result.ToString()));
  return ns / 1e3;
}

absl::StatusOr<Json> MeasureAll(const Options &options) {
  SRCSEL_ASSIGN_OR_RETURN(lab::Lab lab, lab::Lab::Build(lab::TwoUplinks()));
  SRCSEL_RETURN_IF_ERROR(lab::RouteBySource(lab));
  SRCSEL_ASSIGN_OR_RETURN(lab::Process server,
                          lab.host("server").Spawn({.argv = {WORKER, "listen"}}));
  SRCSEL_RETURN_IF_ERROR(server.WaitForLine("listening").status());
  const std::string connections = absl::StrCat(options.connections);
  const std::vector<Measure> measures{
      {"connect, TCP", {"connect", "tcp", connections}, 0},
      {"connect, UDP", {"connect", "udp", connections}, 0},
      {"start of true", {"start", absl::StrCat(options.starts), "/bin/true"}, 2000}};
  const std::vector<Way> ways = Ways();
  Json out;
  ProgressLine progress;
  for (const Measure &measure : measures) {
    std::map<std::string, std::vector<double>> took, more;
    for (int round = 0; round <= options.rounds; ++round) {
      progress.Show(measure.name, ": round ", round, " of ", options.rounds);
      std::map<std::string, double> times;
      for (std::size_t i = 0; i < ways.size(); ++i) {
        const Way &way = ways[(static_cast<std::size_t>(round) + i) % ways.size()];
        SRCSEL_ASSIGN_OR_RETURN(times[way.name], Run(lab.host("client"), way, measure));
      }
      if (round == 0) continue;  // warms up
      for (const auto &[name, time] : times) {
        took[name].push_back(time);
        more[name].push_back(time - times["none"]);
      }
    }
    for (const Way &way : ways) {
      Json &figure = out[measure.name][way.name];
      figure = {{"us", Median(took[way.name])}};
      if (&way == &ways.front()) continue;
      figure["more_us"] = Median(more[way.name]);
      if (way.floor_us == 0) continue;
      figure["floor_us"] = measure.floor_us != 0 ? measure.floor_us : way.floor_us;
    }
  }
  return out;
}

void Print(const Json &result) {
  std::printf("%-14s %-15s %9s %9s %9s\n", "", "", "us", "more", "floor");
  for (const auto &[measure, ways] : result.items())
    for (const auto &[way, figure] : ways.items()) {
      std::printf("%-14s %-15s %9.2f", measure.c_str(), way.c_str(), figure["us"].get<double>());
      if (figure.contains("more_us")) std::printf(" %9.2f", figure["more_us"].get<double>());
      if (figure.contains("floor_us")) {
        const double more = figure["more_us"], floor = figure["floor_us"];
        std::printf(" %9.2f%s", floor, more > floor ? "  over the floor" : "");
      }
      std::printf("\n");
    }
}

absl::Status Bench(const Options &options) {
  SRCSEL_ASSIGN_OR_RETURN(const Json result, MeasureAll(options));
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
  CLI::App app(
      "The preload of an ordinary user: connect() and process start, without it, by an image, and "
      "by asking the kernel.");
  app.add_option("--rounds", options.rounds, "rounds of all ways, interleaved")
      ->capture_default_str();
  app.add_option("--connections", options.connections, "connections a round")
      ->capture_default_str();
  app.add_option("--starts", options.starts, "processes a round")->capture_default_str();
  app.add_option("--json", options.json, "where the figures go")->capture_default_str();
  app.footer(
      "JSON: by measure and way, \"us\" (median), \"more_us\" (than without the preload) and "
      "\"floor_us\"\n(what that may be).");
  CLI11_PARSE(app, argc, argv);
  if (const absl::Status status = srcsel::bench::Bench(options); !status.ok()) {
    std::fprintf(stderr, "bench_preload: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  return 0;
}
