#include "stats.hh"

#include <cstdlib>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/up_status.hh"
#include "base/printable.hh"
#include "counts.hh"
#include "json_text.hh"
#include "say.hh"
#include "write_out.hh"

namespace srcsel {
namespace {

constexpr char kStatsText[] = R"(
Decisions by reason since srcsel was brought up, and what became of the flows of each rule since the
policy is in force.

Examples:
  srcsel stats
  srcsel stats --json | jq '.rules[] | select(.failed > 0)'
  srcsel stats --prometheus > /var/lib/prometheus/node-exporter/srcsel.prom

With --json: "generation", "following", "reasons", "rules" ("rule", "matched", "applied", "failed"),
"dropped". With --prometheus, in its text format: srcsel_up, srcsel_following,
srcsel_image_generation, srcsel_decisions_total{reason}, srcsel_rule_matched_total{rule},
srcsel_rule_applied_total{rule}, srcsel_rule_failed_total{rule}, srcsel_events_dropped_total.

Exit status: 0; 1 if nothing is up, or it cannot be read.
)";

struct StatsOptions {
  bool json = false, prometheus = false;
};

std::string ToJson(const UpStatus &status) {
  return JsonLine({{"generation", status.generation},
                   {"following", status.following},
                   {"reasons", ReasonsToJson(status.counts->reasons)},
                   {"rules", RulesToJson(status.counts->rules, status.state.rules)},
                   {"dropped", status.counts->dropped}});
}

class Metrics {
 public:
  void Begin(const char *name, const char *type, const char *help) {
    name_ = name;
    absl::StrAppend(&text_, "# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
  }
  void Add(std::uint64_t value) { absl::StrAppend(&text_, name_, " ", value, "\n"); }
  void Add(absl::string_view label, absl::string_view of, std::uint64_t value) {
    absl::StrAppend(&text_, name_, "{", label, "=\"",
                    absl::StrReplaceAll(Printable(of), {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"} ",
                    value, "\n");
  }
  const std::string &text() const { return text_; }

 private:
  std::string name_, text_;
};

void AddCounts(const UpStatus &status, Metrics &metrics) {
  metrics.Begin("srcsel_decisions_total", "counter", "Decisions, by reason.");
  for (std::uint32_t reason = 0; reason < SRCSEL_WHY_COUNT; ++reason)
    metrics.Add("reason", ReasonWord(reason), status.counts->reasons[reason]);
  const auto rules = [&](const char *name, const char *help, __u64 srcsel_tally::*count) {
    metrics.Begin(name, "counter", help);
    for (std::size_t i = 0; i < status.counts->rules.size(); ++i)
      metrics.Add("rule", RuleName(i, status.state.rules), status.counts->rules[i].*count);
  };
  rules("srcsel_rule_matched_total", "Flows that the rule held for.", &srcsel_tally::matched);
  rules("srcsel_rule_applied_total", "Of these, those whose mark or source was set.",
        &srcsel_tally::applied);
  rules("srcsel_rule_failed_total", "Of these, those where that failed.", &srcsel_tally::failed);
  metrics.Begin("srcsel_events_dropped_total", "counter", "Decisions that a trace missed.");
  metrics.Add(status.counts->dropped);
}

std::string ToPrometheus(const absl::StatusOr<UpStatus> &status) {
  Metrics metrics;
  metrics.Begin("srcsel_up", "gauge", "Whether hooks are attached.");
  metrics.Add(status.ok());
  if (!status.ok()) return metrics.text();
  metrics.Begin("srcsel_following", "gauge", "Whether routes, rules and addresses are followed.");
  metrics.Add(status->following && status->state.stale.empty());
  metrics.Begin("srcsel_image_generation", "gauge", "Number of the image in force.");
  metrics.Add(status->generation);
  if (status->counts) AddCounts(*status, metrics);
  return metrics.text();
}

[[noreturn]] void RunStats(const StatsOptions &options) {
  if (const absl::Status root = WantRoot(kNotToBeSeen); !root.ok()) Fail(root);
  const absl::StatusOr<UpStatus> status = ReadUpStatus(UpPaths::Get());
  const bool tells = options.prometheus && (status.ok() || absl::IsNotFound(status.status()));
  if (!tells && !status.ok()) Fail(status.status());
  if (!tells && !status->counts) Fail(absl::FailedPreconditionError(status->Trouble().ToString()));
  const absl::Status written =
      WriteOut(tells          ? ToPrometheus(status)
               : options.json ? ToJson(*status)
                              : CountsToText(*status->counts, status->state.rules));
  if (!written.ok()) Fail(written);
  std::exit(status.ok() ? 0 : kExitFailed);
}

}  // namespace

void AddStats(CLI::App &app) {
  CLI::App *stats = app.add_subcommand("stats", "Print what hooks have counted");
  auto options = std::make_shared<StatsOptions>();
  CLI::Option *json = stats->add_flag("-j,--json", options->json, "Print JSON");
  stats->add_flag("--prometheus", options->prometheus, "Print Prometheus' text format")
      ->excludes(json);
  stats->footer(kStatsText);
  stats->callback([options] { RunStats(*options); });
}

}  // namespace srcsel
