#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "completion.hh"

namespace srcsel {
namespace {

constexpr char kFishHead[] = R"sh(# fish completion for srcsel, printed by `srcsel completion fish`

function __srcsel_in --description 'whether that is the verb on the command line'
    set -l verb ''
    set -l words (commandline -opc)
    for word in $words[2..]
        set -l longer (string trim "$verb $word")
        contains -- $longer $__srcsel_verbs; or break
        set verb $longer
    end
    test "$verb" = "$argv"
end

function __srcsel_names --description 'files of a directory, by name'
    for path in $argv[1]/*
        string replace "$argv[1]/" '' $path
    end
end

function __srcsel_addresses
    ip -o address show 2>/dev/null | string replace -r '^\S+\s+\S+\s+\S+\s+([^/ ]+).*' '$1'
end

function __srcsel_cgroups
    set -l root (findmnt -n -o TARGET -t cgroup2)[1]
    for path in $root(commandline -ct)*/
        string replace $root '' $path
    end
end

function __srcsel_flow
    set -l words (commandline -opc)
    switch $words[-1]
        case iif oif dev
            __srcsel_names /sys/class/net
        case ipproto
            printf '%s\n' tcp udp icmp ipv6-icmp
        case '*'
            contains -- $words[-1] $argv; or printf '%s\n' $argv
    end
end

complete -c srcsel -f
)sh";

std::string FishQuoted(const std::string &text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

// The arguments of `complete` that say what is offered for a value.
std::string Offered(const CommandWord &word) {
  switch (word.offer) {
    case Offer::kChoices:
      return absl::StrCat(" -x -a '", absl::StrJoin(word.choices, " "), "'");
    case Offer::kFlow:
      return absl::StrCat(" -x -a '(__srcsel_flow ", absl::StrJoin(word.choices, " "), ")'");
    case Offer::kFile:
      return " -r -F";
    case Offer::kNetns:
      return " -x -a '(__srcsel_names /run/netns)'";
    case Offer::kCgroup:
      return " -x -a '(__srcsel_cgroups)'";
    case Offer::kProcess:
      return " -x -a '(__fish_complete_pids)'";
    case Offer::kAddress:
      return " -x -a '(__srcsel_addresses)'";
    case Offer::kCommand:
      return " -x -a '(__fish_complete_subcommand --fcs-skip=2)'";
    case Offer::kNothing:
      break;
  }
  return " -x";
}

std::string Names(const CommandWord &option) {
  return absl::StrJoin(option.names, "", [](std::string *out, absl::string_view name) {
    const bool is_long = absl::ConsumePrefix(&name, "--") || !absl::ConsumePrefix(&name, "-");
    absl::StrAppend(out, is_long ? " -l " : " -s ", name);
  });
}

std::string Lines(const Command &command) {
  const std::string begin =
      absl::StrCat("complete -c srcsel -n \"__srcsel_in ", command.name, "\"");
  std::string lines = "\n";
  for (const Command &verb : command.verbs)
    absl::StrAppend(&lines, begin, " -a ", LastWord(verb), " -d ", FishQuoted(verb.help), "\n");
  for (const CommandWord &option : command.options)
    absl::StrAppend(&lines, begin, Names(option), option.value.empty() ? "" : Offered(option),
                    " -d ", FishQuoted(option.help), "\n");
  if (!command.arguments.empty() && command.arguments.front().offer != Offer::kNothing)
    absl::StrAppend(&lines, begin, Offered(command.arguments.front()), "\n");
  return lines;
}

}  // namespace

std::string FishCompletion(const Command &root) {
  std::string verbs, lines;
  for (const Command *command : AllOf(root)) {
    if (!command->name.empty()) absl::StrAppend(&verbs, " '", command->name, "'");
    lines += Lines(*command);
  }
  return absl::StrCat(kFishHead, "set -g __srcsel_verbs", verbs, "\n", lines);
}

}  // namespace srcsel
