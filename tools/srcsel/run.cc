#include "run.hh"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/run.hh"
#include "base/status.hh"
#include "netns_option.hh"
#include "policy/policy.hh"

namespace srcsel {
namespace {

constexpr int kCouldNotSetUp = 125, kCouldNotRun = 126, kNotFound = 127;

constexpr char kExamples[] = R"(
Examples:
  srcsel run --mark 100 -- curl https://example.com
      The command's connections carry mark 100 from their first route lookup on: an
      `ip rule fwmark 100` decides their route and, with it, their source.
  srcsel run --mark 100 --apply bind -- curl https://example.com
      netfilter marks the packets later on; bind the source the tables give for that
      mark now, and leave the socket's mark alone.
  srcsel run --source 10.1.0.1,fd00:1::1 -- ssh host
  srcsel run --source "dev eth1" -- ssh host
      A fixed source, or whatever address eth1 has at the moment of connecting.
  srcsel run --netns blue --mark 0x64/0xff -- wget http://example.com
      In the network namespace that `ip netns` calls blue.

Left alone: destinations that are local, on the link, multicast or broadcast, and sockets
that the command has bound or marked itself. Exit status: the command's own; 125 if the
policy could not be set up, 126 if the command could not be run, 127 if it was not found.
)";

struct Options {
  std::string mark, apply = "mark", netns;
  std::vector<std::string> sources, command;
  bool quiet = false;
};

absl::Status AddSource(absl::string_view text, std::vector<Source> &sources) {
  text = absl::StripAsciiWhitespace(text);
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  if (words.size() == 2 && words[0] == "dev") {
    sources.emplace_back(DeviceSource{std::string(words[1])});
    return absl::OkStatus();
  }
  const absl::StatusOr<IpAddress> address = IpAddress::Parse(text);
  if (!address.ok())
    return absl::InvalidArgumentError(
        absl::StrCat("source '", text, "' is neither an address nor \"dev INTERFACE\""));
  if (address->IsV4Mapped())
    return absl::InvalidArgumentError(absl::StrCat("source ", text, " is an IPv4 address: write ",
                                                   text.substr(text.rfind(':') + 1)));
  for (const Source &other : sources)
    if (const auto *a = std::get_if<IpAddress>(&other); a && a->family() == address->family())
      return absl::InvalidArgumentError(absl::StrCat("two sources of one family: ", a->ToString(),
                                                     " and ", address->ToString(),
                                                     "; give at most one address a family"));
  sources.emplace_back(*address);
  return absl::OkStatus();
}

absl::StatusOr<PolicyRule> RuleOf(const Options &options) {
  PolicyRule rule;
  if (options.command.empty())
    return absl::InvalidArgumentError("no command to run: srcsel run [OPTIONS] [--] CMD...");
  rule.apply = options.apply == "bind" ? Apply::kBind : Apply::kMark;
  if (!options.mark.empty()) {
    SRCSEL_ASSIGN_OR_RETURN(rule.mark, Mark::Parse(options.mark));
    if (rule.mark->value == 0)
      return absl::InvalidArgumentError("mark 0 is what every socket has; choose another");
  }
  for (const std::string &list : options.sources)
    for (absl::string_view source : absl::StrSplit(list, ','))
      SRCSEL_RETURN_IF_ERROR(AddSource(source, rule.sources));
  if (rule.sources.size() > 1 && std::ranges::any_of(rule.sources, [](const Source &s) {
        return std::get_if<DeviceSource>(&s);
      }))
    return absl::InvalidArgumentError(
        absl::StrCat("--source ", absl::StrJoin(options.sources, ","),
                     ": an interface lends both families; give it alone"));
  if (!rule.mark && rule.sources.empty())
    return absl::InvalidArgumentError(
        "nothing to do: say --mark V[/M] or --source ADDR (srcsel run --help)");
  if (rule.apply == Apply::kBind && !rule.mark)
    return absl::InvalidArgumentError(
        "--apply bind looks up the source for a mark: say --mark too");
  if (rule.apply == Apply::kBind && !rule.sources.empty())
    return absl::InvalidArgumentError(
        "--apply bind takes the source from the tables: it excludes --source");
  return rule;
}

std::string Banner(const PolicyRule &rule, const Options &options) {
  std::vector<std::string> words;
  if (rule.mark)
    words.push_back(absl::StrCat("mark ", rule.mark->ToString(),
                                 rule.apply == Apply::kBind ? " (source from the tables)" : ""));
  if (!options.sources.empty())
    words.push_back(absl::StrCat("source ", absl::StrJoin(options.sources, ",")));
  if (!options.netns.empty()) words.push_back(absl::StrCat("netns ", options.netns));
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

void Run(const Options &options) {
  const absl::StatusOr<PolicyRule> rule = RuleOf(options);
  absl::Status status = rule.status();
  if (status.ok()) status = EnterPolicy(Policy{{*rule}}, options.netns);
  if (!status.ok()) {
    std::fprintf(stderr, "srcsel: %s\n", std::string(status.message()).c_str());
    std::exit(kCouldNotSetUp);
  }
  if (!options.quiet) std::fprintf(stderr, "%s\n", Banner(*rule, options).c_str());
  Exec(options.command);
}

}  // namespace

void AddRun(CLI::App &app) {
  CLI::App *run = app.add_subcommand("run", "Run a command under a policy of its own");
  auto options = std::make_shared<Options>();
  run->add_option("--mark", options->mark,
                  "Firewall mark of its connections, with an optional mask")
      ->type_name("V[/M]");
  run->add_option("--apply", options->apply,
                  "mark: set it on the socket. bind: bind the source the tables give for it")
      ->type_name("mark|bind")
      ->check(CLI::IsMember({"mark", "bind"}));
  run->add_option("--source", options->sources,
                  "Source address, one a family separated by a comma, or \"dev INTERFACE\"")
      ->type_name("ADDR|\"dev IF\"")
      ->allow_extra_args(false);
  AddNetnsOption(*run, options->netns, "Network namespace to enter and to mirror");
  run->add_flag("-q,--quiet", options->quiet, "No line on stderr about what was set up");
  run->add_option("command", options->command, "The command and its arguments")
      ->type_name("CMD...");
  run->positionals_at_end();
  run->footer(kExamples);
  run->callback([options] { Run(*options); });
}

}  // namespace srcsel
