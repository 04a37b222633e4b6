#include "explain.hh"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/connected_sockets.hh"
#include "agent/explain_flow.hh"
#include "base/in_netns.hh"
#include "base/netns.hh"
#include "base/printable.hh"
#include "base/status.hh"
#include "explain_json.hh"
#include "explain_text.hh"
#include "explain_words.hh"
#include "json_text.hh"
#include "netfilter/read_rules.hh"
#include "netns_option.hh"
#include "option_words.hh"
#include "read_snapshot.hh"
#include "say.hh"
#include "write_out.hh"

namespace srcsel {
namespace {

constexpr char kWordsText[] = R"(
Words, in any order, as `ip route get` knows them, and those of the caller:
)";

constexpr char kExplainText[] =
    R"(ipproto is tcp if left out. An IPv4-mapped destination, ::ffff:192.0.2.80, is one of IPv4, as it is for an
IPv6 socket that connects there.

What is told, in the order in which it happens: what the policy does with the socket (that of
--policy, else the one that is up); the lookups inside connect(), ip rule by ip rule; the source,
and why it is that; the mark that the firewall gives the packet (for root), and the lookup after it;
where the packet leaves. What the kernel itself answers is compared with each lookup. Where source
and interface do not fit, nothing leaves, or the mark's table leads nowhere, it says why, and which
command mends it. Of a pool that goes by turn or at random, all sources that it may give are told, and
where the packet leaves with each. Nothing is sent, and nothing changed.

With --pid, or --socket, the same for sockets that are connected: what a new one to the same place
would get today, beside what this one has. Sources that a program binds itself look like any other.

Examples:
  srcsel explain 192.0.2.80 dport 443
  srcsel explain 192.0.2.80 dport 443 mark 100 uid 1000
  srcsel explain 2001:db8::80 ipproto udp dport 53 cgroup /system.slice/named.service
  srcsel explain 192.0.2.80 dport 443 --policy srcsel.toml
      What this policy would do.
  srcsel explain --pid 1234
  srcsel explain --socket 10.0.0.1:40000-192.0.2.80:443

With --json: "flow" ("dst", "ipproto", "mark", "uid", "cgroup", "classid" (null: not known), where they were
said "from", "oif", "sport", "dport", "comm", and where an address was said IPv4-mapped "mapped": true);
"policy" (null: none; "file", "up", "covers", "here": whether it is for this network namespace, and if it covers
the caller "rule", "reason", "mark", "source", "pick": by which a pool goes, where that is round-robin or
random, "ports", "lacks": why it has no source, "passed": how many rules before it, "nearer": those of them that
fail by the fewest selectors, "rule" and "missed"); "lookups" ("when": connect, connect-again or reroute,
"flow", "rules" with "pref", "rule", "did" and "missed", "answer", "exact", if not "why" and "candidates",
"kernel", "agrees"); "source" (null: none; "address", "why", "because"); "firewall" (null: not known; "known",
if not "unknown": why, else "dropped", "mark" and "routed"; "passed", "translating", "skipped"); "leaves";
"turns" (where a pool goes by turn: each "source", and how it "leaves"; all else is told of the first); "exact";
"agrees"; "troubles" ("text", "remedies"). An answer, a candidate, what the kernel says and what leaves is
"rule", "table", and "error" or else "type", "route", "gateway", "dev", "prefsrc". Of sockets, a list of such
objects, each with "socket": "pid", "comm", "fd", "protocol", "local", "peer", "mark", "prefsrc" (the source it
has), "same" (whether a new one would have it too).

Exit status: 0 if it leaves by its mark's way with a source that fits, and that of a socket is still
what it would be; 1 if not; 2 if that could not be found out.
)";

constexpr int kRounds = 3;

struct ExplainOptions {
  std::vector<std::string> words;
  std::string policy, netns, socket;
  pid_t pid = 0;  // 0: none
  bool json = false;
};

// What all flows of one namespace are explained by.
struct Here {
  std::unique_ptr<const Snapshot> snapshot;
  std::optional<PolicyInForce> policy;
  NfRuleSet firewall;

  // Null if nothing of it is known.
  const NfRuleSet *known_firewall() const {
    return firewall.tables.empty() && !firewall.skipped.empty() ? nullptr : &firewall;
  }
  ExplainContext context(bool mapped = false) const {
    return {*snapshot, policy ? &*policy : nullptr, firewall.skipped, mapped};
  }
};

absl::StatusOr<std::optional<PolicyInForce>> FindPolicy(const std::string &file,
                                                        const State &state) {
  if (file.empty()) {
    absl::StatusOr<PolicyInForce> up = PolicyOfUp(UpPaths::Get());
    if (absl::IsNotFound(up.status())) return std::nullopt;
    SRCSEL_RETURN_IF_ERROR(up.status());
    return *std::move(up);
  }
  Findings findings;
  SRCSEL_ASSIGN_OR_RETURN(PolicyInForce policy, PolicyOfFile(file, state, findings));
  for (const Finding &finding : findings)
    if (finding.severity == Severity::kError) return absl::InvalidArgumentError(finding.ToString());
  return policy;
}

absl::StatusOr<Here> ReadHere(const std::string &policy) {
  Here here;
  SRCSEL_ASSIGN_OR_RETURN(here.snapshot, ReadSnapshotHere());
  SRCSEL_ASSIGN_OR_RETURN(here.policy, FindPolicy(policy, here.snapshot->state()));
  if (geteuid() == 0)
    here.firewall = ReadRules();
  else
    here.firewall.skipped = {"its rules are root's alone to see"};
  return here;
}

// Again if the kernel disagrees: its state may have changed since it was read.
absl::StatusOr<FlowStory> Story(Here &here, const ExplainWords &asked, const std::string &policy) {
  for (int round = 1;; ++round) {
    SRCSEL_ASSIGN_OR_RETURN(FlowStory story,
                            ExplainFlow(*here.snapshot, {asked.flow, asked.caller,
                                                         here.policy ? &*here.policy : nullptr,
                                                         here.known_firewall()}));
    if (story.agrees() || round == kRounds) return story;
    SRCSEL_ASSIGN_OR_RETURN(here, ReadHere(policy));
  }
}

using Json = nlohmann::ordered_json;

// Who asks may not be in the namespace where the remedies work.
void TellAsTyped(FlowStory &story) {
  for (Trouble &trouble : story.troubles)
    for (std::string &remedy : trouble.remedies) remedy = AsTyped(remedy);
}

// Whether all is well.
absl::StatusOr<bool> ExplainOne(const ExplainOptions &options) {
  SRCSEL_ASSIGN_OR_RETURN(const ExplainWords asked, ExplainWordsOf(options.words));
  SRCSEL_ASSIGN_OR_RETURN(Here here, ReadHere(options.policy));
  SRCSEL_ASSIGN_OR_RETURN(FlowStory story, Story(here, asked, options.policy));
  TellAsTyped(story);
  const ExplainContext context = here.context(asked.mapped);
  SRCSEL_RETURN_IF_ERROR(
      WriteOut(options.json ? JsonLine(ExplainJson(story, context)) : ExplainText(story, context)));
  return story.troubles.empty();
}

// Whether a new one would have it, or may in its turn.
bool HasToday(const ConnectedSocket &socket, const FlowStory &story) {
  const auto has = [&](const FlowStory &one) {
    return one.connect.outcome.error == 0 && one.connect.outcome.source == socket.source;
  };
  return has(story) || std::ranges::any_of(story.others, has);
}

Json SocketJson(const ConnectedSocket &socket, const FlowStory &story) {
  return {{"pid", socket.about.pid},        {"comm", socket.caller.comm},
          {"fd", socket.about.fd},          {"protocol", socket.about.protocol},
          {"local", socket.about.local},    {"peer", socket.about.peer},
          {"mark", socket.flow.mark},       {"prefsrc", socket.source.ToString()},
          {"same", HasToday(socket, story)}};
}

std::string SocketText(const ConnectedSocket &socket, const FlowStory &story) {
  const OpenSocket &about = socket.about;
  const Outcome &today = story.connect.outcome;
  const bool certain = story.others.empty();
  return absl::StrCat(
      Printable(socket.caller.comm), " (", about.pid, ") fd ", about.fd, ": ", about.protocol, " ",
      about.local, " to ", about.peer, "; today ",
      HasToday(socket, story)
          ? certain ? "it would have the same source" : "it may have the same source"
      : today.error != 0
          ? "there would be no connection"
          : absl::StrCat("it would have ", certain ? "" : "for example ", today.source.ToString()),
      "\n");
}

absl::StatusOr<std::vector<ConnectedSocket>> SocketsOf(const ExplainOptions &options) {
  if (!options.words.empty() || (options.pid != 0 && !options.socket.empty()))
    return absl::InvalidArgumentError("an address, --pid and --socket exclude each other");
  if (options.pid == 0) return ConnectedSocketsBetween(options.socket);
  return ConnectedSocketsOf(options.pid);
}

// As --netns takes it: that of --pid if it is not said, and another one than ours.
absl::StatusOr<std::string> NetnsOf(const ExplainOptions &options) {
  if (!options.netns.empty() || options.pid == 0) return options.netns;
  if (kill(options.pid, 0) != 0 && errno == ESRCH)
    return absl::NotFoundError(
        absl::StrCat("there is no process ", options.pid, "; `pgrep -a NAME` tells numbers"));
  const std::string path = absl::StrCat("/proc/", options.pid, "/ns/net");
  const absl::StatusOr<Fd> own = OwnNetns(), its = OpenNetns(path);
  // Whoever may not see its namespace may not see its sockets either, which is said of these.
  const bool here = own.ok() && its.ok() && SameNetns(*own, *its);
  return here || absl::IsPermissionDenied(its.status()) ? "" : path;
}

absl::StatusOr<bool> ExplainSockets(const ExplainOptions &options) {
  SRCSEL_ASSIGN_OR_RETURN(const std::vector<ConnectedSocket> sockets, SocketsOf(options));
  SRCSEL_ASSIGN_OR_RETURN(Here here, ReadHere(options.policy));
  Json all = Json::array();
  bool well = true;
  for (const ConnectedSocket &socket : sockets) {
    SRCSEL_ASSIGN_OR_RETURN(FlowStory story,
                            Story(here, {socket.flow, socket.caller}, options.policy));
    TellAsTyped(story);
    well &= story.troubles.empty() && HasToday(socket, story);
    if (!options.json) {
      SRCSEL_RETURN_IF_ERROR(
          WriteOut(SocketText(socket, story) + ExplainText(story, here.context())));
      continue;
    }
    Json json = {{"socket", SocketJson(socket, story)}};
    json.update(ExplainJson(story, here.context()));
    all.push_back(std::move(json));
  }
  if (options.json) SRCSEL_RETURN_IF_ERROR(WriteOut(JsonLine(all)));
  return well;
}

absl::StatusOr<bool> Explain(const ExplainOptions &options) {
  SRCSEL_ASSIGN_OR_RETURN(const std::string netns, NetnsOf(options));
  SRCSEL_RETURN_IF_ERROR(GoIntoNetns(netns));
  const bool sockets = options.pid != 0 || !options.socket.empty();
  return sockets ? ExplainSockets(options) : ExplainOne(options);
}

[[noreturn]] void RunExplain(const ExplainOptions &options) {
  const absl::StatusOr<bool> well = Explain(options);
  if (!well.ok()) Say(well.status().message());
  std::exit(!well.ok() ? kExitCannotTell : *well ? 0 : kExitFailed);
}

}  // namespace

void AddExplain(CLI::App &app) {
  CLI::App *explain = app.add_subcommand("explain", "Tell why a flow gets its source and its way");
  auto options = std::make_shared<ExplainOptions>();
  explain->add_option("words", options->words, "Destination, and the words below")
      ->type_name("ADDR [WORD VALUE]...");
  explain
      ->add_option("--policy", options->policy, "A policy to explain by; else the one that is up")
      ->type_name("FILE");
  explain->add_option("--pid", options->pid, "Of this process, all connected sockets")
      ->type_name("PID")
      ->check(NumberFrom(1, std::numeric_limits<pid_t>::max()));
  explain->add_option("--socket", options->socket, "The connected socket between these")
      ->type_name("SRC:PORT-DST:PORT");
  explain->add_flag("-j,--json", options->json, "Print JSON");
  AddNetnsOption(*explain, options->netns, "Network namespace the flow is of");
  explain->footer(absl::StrCat(kWordsText, HelpOf(AllExplainWords()), kExplainText));
  explain->callback([options] { RunExplain(*options); });
}

}  // namespace srcsel
