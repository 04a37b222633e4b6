#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "completion.hh"

namespace srcsel {
namespace {

constexpr char kZshHead[] = R"sh(#compdef srcsel
# zsh completion for srcsel, printed by `srcsel completion zsh`

_srcsel_netns() { compadd -- /run/netns/*(N:t) }

_srcsel_cgroups() { _path_files -/ -W "$(findmnt -n -o TARGET -t cgroup2 | head -n 1)" -P / }

_srcsel_addresses() { compadd -- $(ip -o address show 2>/dev/null | awk '{ sub("/.*", "", $4); print $4 }') }

_srcsel_flow() {
  case $words[CURRENT-1] in
    iif|oif|dev) compadd -- /sys/class/net/*(N:t) ;;
    ipproto) compadd -- tcp udp icmp ipv6-icmp ;;
    *) (( $@[(I)$words[CURRENT-1]] )) || compadd -- $@ ;;
  esac
}

)sh";

// Of text between single quotes, where _arguments gives brackets and colons a meaning.
std::string ZshQuoted(const std::string &text) {
  return absl::StrReplaceAll(
      text, {{"\\", "\\\\"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}, {"'", "'\\''"}});
}

std::string Action(const CommandWord &word) {
  switch (word.offer) {
    case Offer::kChoices:
      return absl::StrCat("(", absl::StrJoin(word.choices, " "), ")");
    case Offer::kFlow:
      return absl::StrCat("_srcsel_flow ", absl::StrJoin(word.choices, " "));
    case Offer::kFile:
      return "_files";
    case Offer::kNetns:
      return "_srcsel_netns";
    case Offer::kCgroup:
      return "_srcsel_cgroups";
    case Offer::kProcess:
      return "_pids";
    case Offer::kAddress:
      return "_srcsel_addresses";
    case Offer::kCommand:
      return "_normal";
    case Offer::kNothing:
      break;
  }
  return " ";
}

// Behind "=" the value may follow at once.
std::string NameSpec(const CommandWord &option, const std::string &name) {
  return absl::StrCat(name, !option.value.empty() && name.size() > 2 ? "=" : "");
}

// What _arguments wants to know of one, with a line to itself.
std::string Spec(const CommandWord &option) {
  const std::string value =
      option.value.empty() ? "" : absl::StrCat(":", ZshQuoted(option.value), ":", Action(option));
  const std::string rest = absl::StrCat("[", ZshQuoted(option.help), "]", value, "'");
  const std::string names =
      absl::StrJoin(option.names, ",", [&](std::string *out, const std::string &name) {
        absl::StrAppend(out, NameSpec(option, name));
      });
  if (option.names.size() == 1) return absl::StrCat(" \\\n    '", names, rest);
  return absl::StrCat(" \\\n    '(", absl::StrJoin(option.names, " "), ")'{", names, "}'", rest);
}

std::string ArgumentSpecs(const Command &command) {
  if (command.arguments.empty()) return "";
  const CommandWord &word = command.arguments.front();
  if (word.offer == Offer::kCommand)
    return " \\\n    '(-):command: _command_names -e' \\\n    '*::argument: _normal'";
  const char *many = word.offer == Offer::kFlow ? "*:" : "1:";
  return absl::StrCat(" \\\n    '", many, ZshQuoted(word.value), ":", Action(word), "'");
}

std::string FunctionName(const Command &command) {
  return absl::StrCat("_srcsel", command.name.empty() ? "" : "_",
                      absl::StrReplaceAll(command.name, {{" ", "_"}}));
}

std::string Specs(const Command &command) {
  return absl::StrJoin(command.options, "", [](std::string *out, const CommandWord &option) {
    absl::StrAppend(out, Spec(option));
  });
}

std::string Leaf(const Command &command) {
  return absl::StrCat(FunctionName(command), "() {\n  _arguments -s -S", Specs(command),
                      ArgumentSpecs(command), "\n}\n\n");
}

std::string Branch(const Command &command) {
  std::string verbs, cases;
  for (const Command &verb : command.verbs) {
    absl::StrAppend(&verbs, "    '", LastWord(verb), ":", ZshQuoted(verb.help), "'\n");
    absl::StrAppend(&cases, "        ", LastWord(verb), ") ", FunctionName(verb), " ;;\n");
  }
  return absl::StrCat(
      FunctionName(command), "() {\n  local context state state_descr line\n",
      "  typeset -A opt_args\n  local -a verbs=(\n", verbs, "  )\n", "  _arguments -C",
      Specs(command), " \\\n    '1:verb:->verb' '*::argument:->rest' && return\n",
      "  case $state in\n    verb) _describe verb verbs ;;\n",
      "    rest)\n      case $words[1] in\n", cases, "      esac ;;\n  esac\n}\n\n");
}

}  // namespace

std::string ZshCompletion(const Command &root) {
  std::string text = kZshHead;
  for (const Command *command : AllOf(root))
    text += command->verbs.empty() ? Leaf(*command) : Branch(*command);
  return absl::StrCat(text, "_srcsel \"$@\"\n");
}

}  // namespace srcsel
