#include "identify.hh"

#include <sys/types.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/process_policies.hh"
#include "base/printable.hh"
#include "base/status.hh"
#include "json_text.hh"
#include "say.hh"
#include "write_out.hh"

namespace srcsel {
namespace {

constexpr char kIdentifyText[] = R"(
A process can be under `srcsel run` (it is in the run's cgroup), under what is up (it is in the
cgroup that is attached to, or below), under the preload (it has the library loaded), or under
several. A run below what is up decides for its own sockets.

Examples:
  srcsel identify $$
  srcsel identify --json $(pidof nginx)

With --json: "pid", "comm", "cgroup", "run" (the run's cgroup), "up" (whether), "policy" (of what is
up: its file, "" for the firewall's marks), "preload" (what it goes by), "preload_counts" (decisions
by reason: no-port, refused and ambiguous are those that could not be followed). What does not
hold is null, or false.

Exit status: 0 if a policy holds for it; 1 if none does; 2 if that could not be found out.
)";

constexpr char kPidsText[] = R"(
A line each: process, its name, what holds for it.

Examples:
  srcsel pids
  srcsel pids --json | jq -r '.[] | select(.run) | .pid'

With --json: a list of what `srcsel identify --json` prints.

What cannot be read (for users but root, or in a container) is counted in a line on stderr: of such a
process it is not known whether it has the preload.

Exit status: 0; 2 if it could not be found out.
)";

struct IdentifyOptions {
  std::string pid;
  bool json = false;
};

using Json = nlohmann::ordered_json;

Json OrNull(const std::string &text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json ToJson(const ProcessPolicies &policies, const PolicyFinder &finder) {
  return {{"pid", policies.pid},
          {"comm", policies.comm},
          {"cgroup", policies.cgroup},
          {"run", OrNull(policies.run)},
          {"up", policies.up},
          {"policy", policies.up ? Json(finder.up()->policy) : Json(nullptr)},
          {"preload", OrNull(policies.preload)},
          {"preload_counts",
           policies.preload_counts.empty() ? Json(nullptr) : Json(policies.preload_counts)}};
}

// ": 12 source, 3 no-port"
std::string CountsText(const ProcessPolicies &policies) {
  const auto format = [](std::string *out, const auto &count) {
    absl::StrAppend(out, count.second, " ", count.first);
  };
  if (policies.preload_counts.empty()) return "";
  return absl::StrCat(": ", absl::StrJoin(policies.preload_counts, ", ", format));
}

std::string ToText(const ProcessPolicies &policies, const PolicyFinder &finder) {
  std::vector<std::string> all;
  if (!policies.run.empty()) all.push_back(absl::StrCat("run in cgroup ", policies.run));
  if (policies.up) {
    const std::string &file = finder.up()->policy;
    all.push_back(absl::StrCat("up on cgroup ", finder.up()->cgroup, " by ",
                               file.empty() ? "the firewall's marks" : Printable(file)));
  }
  if (!policies.preload.empty())
    all.push_back(absl::StrCat("preload by ", policies.preload, CountsText(policies)));
  return all.empty() ? "none" : absl::StrJoin(all, "; ");
}

// Root of a container may lack it.
constexpr char kUnread[] =
    " cannot be read, which takes CAP_SYS_PTRACE (root has it, unless a container takes it away)";

// What to print, and whether a policy holds; how many processes may have one that is not to be
// seen.
struct Answer {
  std::string text;
  bool holds = true;
  std::size_t hidden = 0;
};

absl::StatusOr<Answer> Identify(const IdentifyOptions &options) {
  pid_t pid = 0;
  if (!absl::SimpleAtoi(options.pid, &pid) || pid <= 0)
    return absl::InvalidArgumentError(
        options.pid.empty() ? "no process: srcsel identify PID"
                            : absl::StrCat("'", options.pid, "' is not the number of a process"));
  PolicyFinder finder(UpPaths::Get());
  SRCSEL_ASSIGN_OR_RETURN(const ProcessPolicies policies, finder.Of(pid));
  if (!policies.any() && policies.hidden)
    return absl::PermissionDeniedError(absl::StrCat(
        "whether process ", pid, " is under the preload is not known: its memory map", kUnread));
  return Answer{options.json ? JsonLine(ToJson(policies, finder))
                             : absl::StrCat(ToText(policies, finder), "\n"),
                policies.any()};
}

absl::StatusOr<Answer> ListPids(const IdentifyOptions &options) {
  PolicyFinder finder(UpPaths::Get());
  Json json = Json::array();
  std::string text;
  const ManyPolicies all = finder.OfAll();
  for (const ProcessPolicies &policies : all.found) {
    if (options.json)
      json.push_back(ToJson(policies, finder));
    else
      absl::StrAppend(&text, policies.pid, " ", Printable(policies.comm), " ",
                      ToText(policies, finder), "\n");
  }
  return Answer{options.json ? JsonLine(json) : text, true, all.hidden};
}

[[noreturn]] void Finish(const absl::StatusOr<Answer> &answer) {
  const absl::Status status = answer.ok() ? WriteOut(answer->text) : answer.status();
  if (!status.ok()) Say(status.message());
  if (answer.ok() && answer->hidden != 0)
    Say(absl::StrCat("of ", Counted(answer->hidden, "process", "processes"),
                     " it is not known whether the preload is loaded: the memory map", kUnread));
  std::exit(!status.ok() ? kExitCannotTell : answer->holds ? 0 : kExitFailed);
}

}  // namespace

void AddIdentify(CLI::App &app) {
  CLI::App *identify = app.add_subcommand("identify", "Tell which policy holds for a process");
  auto options = std::make_shared<IdentifyOptions>();
  identify->add_option("pid", options->pid, "The process")->type_name("PID");
  identify->add_flag("-j,--json", options->json, "Print JSON");
  identify->footer(kIdentifyText);
  identify->callback([options] { Finish(Identify(*options)); });
}

void AddPids(CLI::App &app) {
  CLI::App *pids = app.add_subcommand("pids", "List the processes that a policy holds for");
  auto options = std::make_shared<IdentifyOptions>();
  pids->add_flag("-j,--json", options->json, "Print JSON");
  pids->footer(kPidsText);
  pids->callback([options] { Finish(ListPids(*options)); });
}

}  // namespace srcsel
