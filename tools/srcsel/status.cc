#include "status.hh"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "agent/up_status.hh"
#include "base/printable.hh"
#include "base/process_name.hh"
#include "base/status.hh"
#include "base/terminal.hh"
#include "counts.hh"
#include "json_text.hh"
#include "say.hh"
#include "write_out.hh"

namespace srcsel {
namespace {

constexpr char kStatusText[] = R"(
What `srcsel up` has attached, since when, whether routes are followed, what has been decided so
far, and which sockets are older than the hooks: those keep what they have.

Examples:
  srcsel status
  srcsel status --json | jq -r '.old_sockets[].comm' | sort | uniq -c

With --json: "up"; and if so "cgroup", "netns" (as --netns had it, or its name; empty: that of who said up),
"policy" (the file), "limits" (what is not known of the firewall's marks), "lacks" (rules whose source
this host does not have now), "missing" (hooks that the kernel does not have, and what that means),
"since", "policy_since", "until" (of a trial not yet confirmed, else null; seconds since 1970),
"following", "pid", "trouble" (why sources may not be right; empty: nothing is known of that),
"remedy" (the command that mends it; may be empty),
"version", "abi", "generation" (of the image), "hooks" ("name", "program", "attached"), "reasons"
(decisions by reason), "rules" ("rule", "matched", "applied", "failed"), "dropped" (events nobody read
in time), "old_sockets" ("pid", "comm", "fd", "protocol", "local", "peer") and "unseen" (processes whose
sockets could not be looked at).

Exit status: 0 if it is up and nothing troubles it; 1 otherwise; 2 if it could not be found out.
)";

struct StatusOptions {
  bool json = false;
};

using Json = nlohmann::ordered_json;

Json OfTime(absl::Time time) {
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) return nullptr;
  return absl::ToUnixSeconds(time);
}

Json ToJson(const UpStatus &status, const std::vector<OpenSocket> &old) {
  Json hooks = Json::array(), sockets = Json::array();
  for (const KeptLink &hook : status.hooks)
    hooks.push_back(
        {{"name", hook.name}, {"program", hook.program}, {"attached", hook.cgroup != 0}});
  for (const OpenSocket &socket : old)
    sockets.push_back({{"pid", socket.pid},
                       {"comm", ProcessName(socket.pid)},
                       {"fd", socket.fd},
                       {"protocol", socket.protocol},
                       {"local", socket.local},
                       {"peer", socket.peer}});
  const UpState &state = status.state;
  const UpTrouble trouble = status.Trouble();
  Json json = {{"up", true},
               {"cgroup", state.cgroup},
               {"netns", state.netns_name},
               {"policy", state.policy},
               {"limits", state.limits},
               {"lacks", state.lacks},
               {"missing", state.missing},
               {"since", OfTime(state.since)},
               {"policy_since", OfTime(state.policy_since)},
               {"until", OfTime(state.until)},
               {"following", status.following && !status.stopped},
               {"pid", state.pid},
               {"trouble", trouble.what},
               {"remedy", trouble.remedy},
               {"version", state.version},
               {"abi", status.abi},
               {"generation", status.generation},
               {"hooks", hooks}};
  if (status.counts) {
    json["reasons"] = ReasonsToJson(status.counts->reasons);
    json["rules"] = RulesToJson(status.counts->rules, state.rules);
    json["dropped"] = status.counts->dropped;
  }
  json["old_sockets"] = sockets;
  json["unseen"] = state.unseen;
  return json;
}

std::string Moment(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::LocalTimeZone());
}

std::string Names(const std::vector<KeptLink> &hooks) {
  return absl::StrJoin(hooks, " ", [](std::string *out, const KeptLink &hook) {
    absl::StrAppend(out, hook.name, hook.cgroup == 0 ? " (detached)" : "");
  });
}

std::string Following(const UpStatus &status) {
  const std::string trouble = status.Trouble().ToString();
  return trouble.empty() ? absl::StrCat("by process ", status.state.pid)
                         : absl::StrCat(Coloured(Colour::kRed, "no"), ": ", trouble);
}

std::string ToText(const UpStatus &status, const std::vector<OpenSocket> &old) {
  const UpState &state = status.state;
  std::string text;
  const auto line = [&](absl::string_view key, const auto &...value) {
    absl::StrAppend(&text, "  ", key, std::string(key.size() < 14 ? 14 - key.size() : 1, ' '),
                    value..., "\n");
  };
  const bool known = state.pid != 0;
  absl::StrAppend(&text, Coloured(Colour::kGreen, "up"));
  if (known) absl::StrAppend(&text, " on cgroup ", state.cgroup, " since ", Moment(state.since));
  absl::StrAppend(&text, "\n");
  if (state.until != absl::InfiniteFuture())
    line("on trial", "until ", Moment(state.until),
         status.following            ? "; srcsel confirm keeps it up"
         : state.until > absl::Now() ? ": then it goes down"
                                     : "");
  if (!state.netns_name.empty()) line("netns", state.netns_name);
  if (known)
    line("policy", state.policy.empty() ? "the firewall's marks" : Printable(state.policy), ", ",
         Counted(state.rules.size(), "rule"), ", in force since ", Moment(state.policy_since));
  for (const std::string &limit : state.limits) line("not known", limit);
  for (const std::string &lack : state.lacks) line("no source", Printable(lack));
  for (const std::string &missing : state.missing) line("missing", missing);
  line("followed", Following(status));
  line("image", "generation ", status.generation);
  line("hooks", Names(status.hooks));
  if (status.counts) absl::StrAppend(&text, CountsToText(*status.counts, state.rules));
  line("old sockets", old.size(), old.empty() ? "" : ", left alone:");
  for (const OpenSocket &socket : old)
    absl::StrAppend(&text, "    ", Printable(ProcessName(socket.pid)), " (", socket.pid, ") ",
                    socket.protocol, socket.local.empty() ? "" : " ", socket.local,
                    socket.peer.empty() ? "" : " to ", socket.peer, "\n");
  if (state.unseen != 0)
    line("unseen", "processes whose sockets could not be looked at: ", state.unseen);
  return text;
}

// `found` is the exit status if somebody gets to read it.
[[noreturn]] void Finish(const std::string &text, int found) {
  const absl::Status written = WriteOut(text);
  if (!written.ok()) Say(written.message());
  std::exit(written.ok() ? found : kExitCannotTell);
}

[[noreturn]] void RunStatus(const StatusOptions &options) {
  if (const absl::Status root = WantRoot(kNotToBeSeen); !root.ok()) {
    Say(root.message());
    std::exit(kExitCannotTell);
  }
  const UpPaths paths = UpPaths::Get();
  const absl::StatusOr<UpStatus> status = ReadUpStatus(paths);
  if (absl::IsNotFound(status.status()))
    Finish(options.json ? "{\"up\":false}\n" : "nothing is up\n", kExitFailed);
  if (!status.ok()) {
    Say(status.status().message());
    std::exit(kExitCannotTell);
  }
  const std::vector<OpenSocket> old =
      OldSockets(paths, status->state).value_or(std::vector<OpenSocket>());
  Finish(options.json ? JsonLine(ToJson(*status, old)) : ToText(*status, old),
         status->Trouble().what.empty() ? 0 : kExitFailed);
}

}  // namespace

void AddStatus(CLI::App &app) {
  CLI::App *status = app.add_subcommand("status", "Tell what is up");
  auto options = std::make_shared<StatusOptions>();
  status->add_flag("-j,--json", options->json, "Print JSON");
  status->footer(kStatusText);
  status->callback([options] { RunStatus(*options); });
}

}  // namespace srcsel
