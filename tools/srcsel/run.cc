#include "run.hh"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/executable.hh"
#include "agent/preload_run.hh"
#include "agent/run.hh"
#include "base/status.hh"
#include "base/terminal.hh"
#include "netns_option.hh"
#include "option_words.hh"
#include "policy/policy.hh"
#include "policy/read_policy.hh"
#include "policy/words.hh"

namespace srcsel {
namespace {

constexpr int kCouldNotSetUp = 125, kCouldNotRun = 126, kNotFound = 127;

constexpr char kExamples[] = R"(
Examples:
  srcsel run --mark 100 -- curl http://example.com
      The command's connections carry mark 100 from their first route lookup on: an
      `ip rule fwmark 100` decides their route and, with it, their source.
  srcsel run --mark 100 --apply bind -- curl http://example.com
      netfilter marks the packets later on; bind the source the tables give for that
      mark now, and leave the socket's mark alone.
  srcsel run --source 10.1.0.1,fd00:1::1 -- curl http://example.com
  srcsel run --source "dev eth1" -- curl http://example.com
      A fixed source, or whatever address eth1 has at the moment of connecting.
  srcsel run --source 10.1.0.1 --ports 20000-29999 -- crawler
      Its connections have local ports of that range.
  srcsel run --policy srcsel.toml -- make-backup
      What is written down: by destination, port, user, cgroup or command.
  srcsel run --via preload --source 10.1.0.1 -- wget http://example.com
      Without root: a library in front of libc binds the sources.
  srcsel run --netns blue --mark 0x64/0xff -- wget http://example.com
      In the network namespace that `ip netns` calls blue.

Left alone: destinations that are local, link-local, multicast or broadcast, and sockets
that the command has bound or marked itself. Exit status: the command's own; 125 if the
policy could not be set up, 126 if the command could not be run, 127 if it was not found.

It becomes the command, so of itself it prints no JSON. `srcsel pids` has what runs so, also in JSON.
)";

struct RunOptions {
  std::string mark, apply, ports, policy, netns, via;
  std::vector<std::string> sources, command;
  bool reply_source = false, quiet = false, steer = false;
};

absl::Status AddSource(absl::string_view text, std::vector<Source> &sources) {
  const absl::StatusOr<Source> source = SourceOfWord(absl::StripAsciiWhitespace(text));
  if (!source.ok())
    return absl::InvalidArgumentError(absl::StrCat("source ", source.status().message()));
  sources.push_back(*source);
  return CheckTogether(sources);
}

absl::StatusOr<PolicyRule> RuleOf(const RunOptions &options) {
  PolicyRule rule;
  rule.name = kCommandLine;
  rule.apply = options.apply == "bind" ? Apply::kBind : Apply::kMark;
  if (!options.mark.empty()) {
    SRCSEL_ASSIGN_OR_RETURN(rule.mark, MarkOfWord(options.mark));
  }
  for (const std::string &list : options.sources)
    for (absl::string_view source : absl::StrSplit(list, ','))
      SRCSEL_RETURN_IF_ERROR(AddSource(source, rule.sources));
  if (!options.ports.empty()) {
    const absl::StatusOr<Range16> ports = PortsOfWord(options.ports);
    if (!ports.ok())
      return absl::InvalidArgumentError(absl::StrCat("--ports ", ports.status().message()));
    rule.ports = *ports;
  }
  if (!rule.mark && rule.sources.empty() && !rule.ports && !options.reply_source)
    return absl::InvalidArgumentError(
        "nothing to do: say --mark V[/M], --source ADDR, --ports A-B or --policy FILE (srcsel run "
        "--help)");
  if (rule.apply == Apply::kBind && !rule.mark)
    return absl::InvalidArgumentError(
        "--apply bind looks up the source for a mark: say --mark too");
  if (rule.apply == Apply::kBind && !rule.sources.empty())
    return absl::InvalidArgumentError(
        "--apply bind takes the source from the tables: it excludes --source");
  return rule;
}

// Errors, and warnings unless they are not wanted, a line each.
void Print(const Findings &findings, bool quiet) {
  for (const Finding &finding : findings)
    if (finding.severity == Severity::kError || (finding.severity == Severity::kWarning && !quiet))
      std::fprintf(stderr, "srcsel: %s\n", finding.ToString().c_str());
}

// Of the file or of the options; with errors among the findings, incomplete.
absl::StatusOr<PolicyFile> PolicyOf(const RunOptions &options) {
  if (options.command.empty())
    return absl::InvalidArgumentError("no command to run: srcsel run [OPTIONS] [--] CMD...");
  if (!options.policy.empty()) return ReadPolicy(options.policy);
  SRCSEL_ASSIGN_OR_RETURN(PolicyRule rule, RuleOf(options));
  if (!rule.mark && rule.sources.empty() && !rule.ports) return PolicyFile{};
  return PolicyFile{{{std::move(rule)}}, {}, {}};
}

// What carries the policy to the command's sockets, and why, if that was not the caller's to say.
struct Means {
  bool preload = false;
  std::string why;
};

std::string Banner(const RunOptions &options, const Means &means) {
  std::vector<std::string> words;
  if (!options.policy.empty()) words.push_back(absl::StrCat("policy ", options.policy));
  if (!options.mark.empty())
    words.push_back(absl::StrCat("mark ", Mark::Parse(options.mark)->ToString(),
                                 options.apply == "bind" ? " (source from the tables)" : ""));
  if (!options.sources.empty())
    words.push_back(absl::StrCat("source ", absl::StrJoin(options.sources, ",")));
  if (!options.ports.empty()) words.push_back(absl::StrCat("ports ", options.ports));
  if (!options.netns.empty()) words.push_back(absl::StrCat("netns ", options.netns));
  if (options.reply_source) words.emplace_back("reply source");
  const std::string why = means.why.empty() ? "" : absl::StrCat(" (", means.why, ")");
  words.push_back(absl::StrCat("via ", means.preload ? "preload" : "bpf", why));
  return absl::StrCat("srcsel: ", absl::StrJoin(words, ", "), ": ", options.command.front());
}

[[noreturn]] void Exec(const std::vector<std::string> &command) {
  std::vector<char *> argv;
  argv.reserve(command.size() + 1);
  for (const std::string &word : command) argv.push_back(const_cast<char *>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  const int error = errno;
  std::fprintf(stderr, "srcsel: run %s: %s\n", argv[0], std::strerror(error));
  std::_Exit(error == ENOENT ? kNotFound : kCouldNotRun);
}

absl::StatusOr<Findings> ViaPreload(const RunOptions &options, const Policy &policy) {
  return EnterPreload(policy, {.netns = options.netns,
                               .program = FindProgram(options.command.front()),
                               .reply_source = options.reply_source});
}

absl::StatusOr<Findings> ViaBpf(const RunOptions &options, const Policy &policy) {
  absl::StatusOr<Findings> findings = EnterPolicy(policy, options.netns, options.steer);
  if (findings.ok() && !HasErrors(*findings)) LeavePreload();
  return findings;
}

std::string Message(const absl::Status &status) {
  return std::string(status.message());
}

// BPF where it can be had, for it reaches every program; `means` is set to what was taken.
absl::StatusOr<Findings> Enter(const RunOptions &options, const Policy &policy, Means &means) {
  if (options.via == "bpf" && options.reply_source)
    return absl::InvalidArgumentError("--reply-source is the preload's: say --via preload");
  means.preload = options.via == "preload" || options.reply_source;
  if (means.preload && options.steer)
    return absl::InvalidArgumentError("--steer adds ip rules, which takes root: say --via bpf");
  if (means.preload) return ViaPreload(options, policy);
  absl::StatusOr<Findings> by_bpf = ViaBpf(options, policy);
  if (by_bpf.ok() || options.via == "bpf" || options.steer) return by_bpf;
  // Of the reason, the sentence; what would mend it is for those who ask for bpf.
  const std::string why = Message(by_bpf.status());
  means = {true, absl::StrCat("not bpf: ", why.substr(0, why.find(';')))};
  absl::StatusOr<Findings> by_preload = ViaPreload(options, policy);
  if (by_preload.ok() || by_preload.status() == by_bpf.status()) return by_preload;
  return absl::Status(by_preload.status().code(),
                      absl::StrCat("via bpf: ", Message(by_bpf.status()),
                                   "; via preload: ", Message(by_preload.status())));
}

// What there is to say; with an error among it, nothing is set up.
absl::StatusOr<Findings> SetUp(const RunOptions &options, Means &means) {
  ProgressLine progress;
  if (!options.policy.empty()) progress.Show("reading ", options.policy);
  SRCSEL_ASSIGN_OR_RETURN(PolicyFile file, PolicyOf(options));
  if (HasErrors(file.findings)) return std::move(file.findings);
  SRCSEL_ASSIGN_OR_RETURN(Findings here, Enter(options, file.policy, means));
  file.PlaceAtKeys(here);
  file.findings.insert(file.findings.end(), here.begin(), here.end());
  return std::move(file.findings);
}

void Run(const RunOptions &options) {
  Means means;
  const absl::StatusOr<Findings> findings = SetUp(options, means);
  if (findings.ok())
    Print(*findings, options.quiet);
  else
    std::fprintf(stderr, "srcsel: %s\n", std::string(findings.status().message()).c_str());
  if (!findings.ok() || HasErrors(*findings)) std::exit(kCouldNotSetUp);
  if (!options.quiet) std::fprintf(stderr, "%s\n", Banner(options, means).c_str());
  Exec(options.command);
}

// "$UNSET" is a mistake, not the lack of an option.
CLI::Validator NotEmpty() {
  return CLI::Validator(
      [](const std::string &text) { return std::string(text.empty() ? "is empty" : ""); }, "");
}

}  // namespace

void AddRun(CLI::App &app) {
  CLI::App *run = app.add_subcommand("run", "Run a command under a policy of its own");
  auto options = std::make_shared<RunOptions>();
  CLI::Option *policy = run->add_option("--policy", options->policy,
                                        "A policy file; srcsel check tells if it is right")
                            ->type_name("FILE")
                            ->check(NotEmpty());
  run->add_option("--mark", options->mark,
                  "Firewall mark of its connections, with an optional mask")
      ->type_name("V[/M]")
      ->check(NotEmpty())
      ->excludes(policy);
  run->add_option("--apply", options->apply,
                  "mark: set it on the socket. bind: bind the source the tables give for it")
      ->type_name("mark|bind")
      ->check(OneOf({"mark", "bind"}))
      ->excludes(policy);
  run->add_option("--source", options->sources,
                  "Source address, one a family separated by a comma, or \"dev INTERFACE\"")
      ->type_name("ADDR|\"dev IF\"")
      ->allow_extra_args(false)
      ->excludes(policy);
  run->add_option("--ports", options->ports,
                  "Local ports to use, each for any number of destinations at a time")
      ->type_name("A-B")
      ->check(NotEmpty())
      ->excludes(policy);
  run->add_flag("--steer", options->steer,
                "Add the ip rules by source that the sources want, as long as it runs");
  AddNetnsOption(*run, options->netns, "Network namespace to enter and to mirror");
  run->add_option("--via", options->via,
                  "bpf: reaches every program; needs root. preload: dynamic programs only; needs "
                  "nothing. auto: bpf if it can be had")
      ->type_name("auto|bpf|preload")
      ->check(OneOf({"auto", "bpf", "preload"}))
      ->default_str("auto");
  run->add_flag("--reply-source", options->reply_source,
                "UDP servers answer from the address they were asked at (preload)");
  run->add_flag("-q,--quiet", options->quiet, "No line on stderr about what was set up");
  run->add_option("command", options->command, "The command and its arguments")
      ->type_name("CMD...");
  run->positionals_at_end();
  run->footer(kExamples);
  run->callback([options] { Run(*options); });
}

}  // namespace srcsel
