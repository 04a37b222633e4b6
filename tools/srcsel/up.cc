#include "up.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "agent/daemon.hh"
#include "agent/up.hh"
#include "agent/upkeep.hh"
#include "base/cgroup_root.hh"
#include "base/in_netns.hh"
#include "base/netns.hh"
#include "base/status.hh"
#include "base/terminal.hh"
#include "firewall_report.hh"
#include "json_text.hh"
#include "netns_option.hh"
#include "say.hh"
#include "write_out.hh"

namespace srcsel {
namespace {

constexpr char kUpText[] = R"(
Gives what this host sends the source that goes with the marks of its own firewall (nft and iptables,
OUTPUT): nothing of it is changed, and MASQUERADE is no longer needed for it. With --policy, the
policy comes first, and the firewall's marks where it says nothing.

Attaches to a cgroup, all processes of the host if none is named, and comes back when the hooks are
in force. A process in the background then follows routes, rules, addresses and the firewall. If it
dies, the hooks go on with what they have; the next `srcsel up` takes them over without a gap. Of
what was said to the one before nothing holds on: where the cgroup, the policy, the network
namespace, --steer or --try is another one, that is said.

On stdout: what was understood of the firewall, rule by rule, and what was not.

With --json: "policy" (the file; empty: none), "cgroup", "taking_over" (what other words than before
change of hooks that are taken over), "findings" about the policy ("severity",
"file", "line", "key", "message"), and, unless these have an error, "firewall": "rules" ("rule",
"mark", "socket": marked, bound, or left where no ip rule looks at the mark, "tables" and "sources"
that the mark leads to), "limits" (what is not known, and left to the kernel), "too_late" (rules for ping and raw sockets that do not connect),
"needless" (NAT that is of no use any more) and "forwarding" (NAT that only what is forwarded needs).

Examples:
  srcsel up --dry-run
      What it would do; changes nothing.
  srcsel up
  srcsel up --policy /etc/srcsel/srcsel.toml --dry-run
      The same with a policy.
  srcsel up --policy /etc/srcsel/srcsel.toml --try 60s
      Goes down again after a minute, unless `srcsel confirm` comes before; also if the process
      that follows is killed. For hosts that one reaches by the very routes in question.
  srcsel up --policy srcsel.toml --cgroup /system.slice/backup.service
  srcsel up --policy srcsel.toml --foreground
      For a service manager: stays, and tells it when it is ready (Type=notify).

  srcsel up --policy srcsel.toml --steer
      Where a source would leave by another uplink than its own, adds `ip rule from` for it, under
      protocol 83, and removes it when it goes down. (The first ip rule ever added to a network
      namespace takes its tables local and main apart for good.)

Then: srcsel status, reload, trace, stats, down.

Sockets that are there already keep what they have: `srcsel status` lists them. Exit status: 0 if it
is up; 2 if the policy has an error, or the words do; 1 if it could not be brought up. In both cases
nothing is changed.
)";

struct UpOptions {
  std::string policy, cgroup = "/", netns, trial;
  bool foreground = false, dry_run = false, steer = false, quiet = false, json = false;
};

absl::StatusOr<std::optional<std::chrono::seconds>> TrialOf(const UpOptions &options) {
  if (options.trial.empty()) return std::nullopt;
  absl::Duration trial;
  const std::string last = options.trial.substr(options.trial.size() - 1);
  const bool bare = last >= "0" && last <= "9";
  if (!absl::ParseDuration(bare ? options.trial + "s" : options.trial, &trial) ||
      trial < absl::Seconds(1) || trial > absl::Hours(24))
    return absl::InvalidArgumentError(
        absl::StrCat("--try '", options.trial, "' is not a time from 1s to 24h, as in 60s or 5m"));
  return absl::ToChronoSeconds(trial);
}

absl::StatusOr<UpRequest> RequestOf(const UpOptions &options) {
  std::error_code error;
  const auto absolute = [&error](const std::string &path) {
    return std::filesystem::absolute(path, error).lexically_normal().string();
  };
  const std::string file = options.policy.empty() ? "" : absolute(options.policy);
  const bool named = options.netns.find('/') == std::string::npos;
  const std::string netns = error || named ? options.netns : absolute(options.netns);
  if (error) return absl::ErrnoToStatus(error.value(), "find the directory one is in");
  return UpRequest{
      .policy = {file}, .cgroup = options.cgroup, .steer = options.steer, .netns = netns};
}

// Who has it, and what one may want instead.
absl::Status IsUp(const UpRequest &request) {
  std::string who;
  if (const auto state = ReadUpState(request.paths); state.ok())
    who = absl::StrCat(" on cgroup ", state->cgroup, ", kept by process ", state->pid);
  return absl::AlreadyExistsError(absl::StrCat(
      "up already", who, "; srcsel reload reads its policy anew, srcsel down takes it down"));
}

bool IsKept(const UpPaths &paths) {
  const absl::StatusOr<UpState> state = ReadUpState(paths);
  return state.ok() && IsFollowing(*state);
}

std::string Banner(const Up &up, const std::optional<std::chrono::seconds> &trial) {
  std::string text =
      absl::StrCat("up on cgroup ", up.state.cgroup, ": ", Counted(up.policy.rules.size(), "rule"));
  if (!up.source.file.empty())
    absl::StrAppend(&text, ", ", up.from_file.rules.size(), " of ", up.source.file);
  if (up.took_over) absl::StrAppend(&text, "; took over hooks that nobody kept");
  if (up.state.old_sockets != 0)
    absl::StrAppend(&text, "; ", Counted(up.state.old_sockets, "socket"),
                    " older than that left alone (srcsel status)");
  if (trial)
    absl::StrAppend(&text, "; goes down in ", trial->count(), " s unless srcsel confirm comes");
  return text;
}

// With an error nothing stays that was not there before.
absl::Status RunUpkeep(std::unique_ptr<Up> up, std::optional<std::chrono::seconds> trial,
                       absl::FunctionRef<void(const absl::Status &)> begun) {
  const UpPaths paths = up->paths;
  const bool took_over = up->took_over;
  const Fd run(fcntl(up->run.get(), F_DUPFD_CLOEXEC, 0));
  const Fd lock(fcntl(up->lock.get(), F_DUPFD_CLOEXEC, 0));
  absl::StatusOr<std::unique_ptr<Upkeep>> upkeep = Upkeep::Begin(std::move(up), trial);
  if (!upkeep.ok() && !took_over) TakeDown(paths, run).IgnoreError();
  begun(upkeep.status());
  return upkeep.ok() ? (*upkeep)->Run() : upkeep.status();
}

// In a process that stays behind; what it says when it has begun.
absl::Status GoBehind(std::unique_ptr<Up> up, std::optional<std::chrono::seconds> trial) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "make a pipe");
  Fd hear(ends[0]), tell(ends[1]);
  SRCSEL_RETURN_IF_ERROR(StartDaemon("srcsel-up", [&] {
    const auto begun = [&](const absl::Status &status) {
      const std::string text = status.ok() ? "up" : absl::StrCat("!", status.message());
      if (write(tell.get(), text.data(), text.size()) < 0) return;
      tell.reset();
    };
    return RunUpkeep(std::move(up), trial, begun).ok() ? 0 : 1;
  }));
  tell.reset();
  std::string text;
  char part[512];
  for (ssize_t got; (got = read(hear.get(), part, sizeof(part))) > 0;)
    text.append(part, static_cast<std::size_t>(got));
  if (text == "up") return absl::OkStatus();
  return absl::UnavailableError(text.empty() ? "the process that follows the kernel has ended"
                                             : text.substr(1));
}

// What was understood, of the policy and of the firewall.
absl::Status Tell(const UpOptions &options, const UpRequest &request, const UpPlan &plan) {
  const Findings &findings = plan.examined.findings;
  if (!options.json)
    return WriteOut(absl::StrCat(FindingsToText(findings, options.quiet),
                                 options.quiet || HasErrors(findings)
                                     ? ""
                                     : ToText(ReportOf(plan.marks, plan.mirror.state()))));
  nlohmann::ordered_json json = {{"policy", request.policy.file},
                                 {"cgroup", request.cgroup},
                                 {"taking_over", plan.changes},
                                 {"findings", FindingsToJson(findings)}};
  if (!HasErrors(findings)) json["firewall"] = ToJson(ReportOf(plan.marks, plan.mirror.state()));
  return WriteOut(JsonLine(json));
}

bool ChangesNothing(const UpPlan &plan) {
  return plan.examined.written.rules.empty() && plan.marks.policy().rules.empty() &&
         plan.marks.Limits().empty();
}

// Said also to who wants to hear of nothing that was asked for: nobody asked for this.
void WarnOf(const std::vector<std::string> &changes) {
  for (const std::string &change : changes) Say(absl::StrCat("warning: taking over: ", change));
}

void SayThatNothingIsMarked() {
  Say(absl::StrCat(
      "nothing here marks what this host sends, so no source changes; what to do is said by a "
      "policy (srcsel up --policy FILE), or by a mark, as in: ",
      AsTyped("ip rule add fwmark 100 lookup 100 && iptables -t mangle -A OUTPUT -p tcp --dport 80 "
              "-j MARK --set-mark 100")));
}

absl::StatusOr<int> BringItUp(const UpOptions &options) {
  SRCSEL_ASSIGN_OR_RETURN(UpRequest request, RequestOf(options));
  SRCSEL_ASSIGN_OR_RETURN(request.trial, TrialOf(options));
  SRCSEL_RETURN_IF_ERROR(WantRoot(
      "hooks are attached for every user's processes (CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN)"));
  SRCSEL_RETURN_IF_ERROR(GoIntoNetns(options.netns));
  if (request.netns.empty()) request.netns = OwnNetnsName();
  TellCommandsFor(request.netns);
  if (!options.dry_run && IsKept(request.paths)) return IsUp(request);
  ProgressLine progress("reading routes, rules, firewall and policy");
  SRCSEL_ASSIGN_OR_RETURN(UpPlan plan, PlanUp(request));
  progress.Clear();
  SRCSEL_RETURN_IF_ERROR(Tell(options, request, plan));
  if (HasErrors(plan.examined.findings)) return kExitWrongWords;
  const bool in_vain = !options.quiet && ChangesNothing(plan);
  const std::vector<std::string> changes = plan.changes;
  if (options.dry_run) {
    SRCSEL_RETURN_IF_ERROR(OpenCgroup(request.cgroup).status());
    WarnOf(changes);
    if (in_vain) SayThatNothingIsMarked();
    if (!options.quiet) Say("nothing was changed: --dry-run");
    return 0;
  }
  progress.Show("loading hooks and policy");
  absl::StatusOr<std::unique_ptr<Up>> up = BringUp(request, std::move(plan));
  progress.Clear();
  if (absl::IsAlreadyExists(up.status())) return IsUp(request);
  SRCSEL_RETURN_IF_ERROR(up.status());
  const std::string banner = Banner(**up, request.trial);
  const std::vector<std::string> missing = (*up)->state.missing;
  const auto say = [&] {
    WarnOf(changes);
    if (!options.quiet) {
      for (const std::string &hook : missing) Say(absl::StrCat("warning: ", hook));
      Say(banner);
    }
    if (in_vain) SayThatNothingIsMarked();
  };
  if (!options.foreground) {
    SRCSEL_RETURN_IF_ERROR(GoBehind(*std::move(up), request.trial));
    say();
    return 0;
  }
  SRCSEL_RETURN_IF_ERROR(RunUpkeep(*std::move(up), request.trial, [&](const absl::Status &begun) {
    if (begun.ok()) say();
  }));
  return 0;
}

[[noreturn]] void RunUp(const UpOptions &options) {
  const absl::StatusOr<int> status = BringItUp(options);
  if (!status.ok()) Fail(status.status());
  std::exit(*status);
}

}  // namespace

void AddUp(CLI::App &app) {
  CLI::App *up = app.add_subcommand("up", "Put a cgroup, or the whole host, under a policy");
  auto options = std::make_shared<UpOptions>();
  up->add_option("--policy", options->policy, "A policy; srcsel check tells if it is right")
      ->type_name("FILE");
  up->add_option("--cgroup", options->cgroup,
                 "The cgroup to attach to, from the root of the hierarchy; left out: the root")
      ->type_name("PATH");
  up->add_option("--try", options->trial, "Go down again after that, unless confirmed")
      ->type_name("TIME");
  up->add_flag("--dry-run", options->dry_run, "Say what is to be said, change nothing");
  up->add_flag("--steer", options->steer,
               "Add the ip rules by source that the policy's sources want; down removes them");
  up->add_flag("--foreground", options->foreground, "Stay; end by SIGTERM or SIGINT");
  up->add_flag("-j,--json", options->json, "Print the report as JSON");
  AddNetnsOption(*up, options->netns, "Network namespace to mirror");
  up->add_flag("-q,--quiet", options->quiet,
               "No line on stderr about what was done, no notes, no report");
  up->footer(kUpText);
  up->callback([options] { RunUp(*options); });
}

}  // namespace srcsel
