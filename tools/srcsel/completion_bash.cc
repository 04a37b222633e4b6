#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "completion.hh"

namespace srcsel {
namespace {

constexpr char kBashHead[] = R"sh(# bash completion for srcsel, printed by `srcsel completion bash`

_srcsel_offer() {
  local kind=$1 cur=$2 prev=$3 words
  shift 3
  case $kind in
    choices) words="$*" ;;
    file) COMPREPLY=($(compgen -f -- "$cur")); compopt -o filenames 2>/dev/null; return ;;
    netns) words=$(cd /run/netns 2>/dev/null && echo *) ;;
    process) words=$(cd /proc && echo [0-9]*) ;;
    address) words=$(ip -o address show 2>/dev/null | awk '{ sub("/.*", "", $4); print $4 }') ;;
    cgroup)
      local root=$(findmnt -n -o TARGET -t cgroup2 | head -n 1) path
      for path in $(compgen -d -- "$root${cur:-/}"); do COMPREPLY+=("${path#"$root"}"); done
      compopt -o filenames -o nospace 2>/dev/null
      return ;;
    flow)
      case $prev in
        iif | oif | dev) words=$(cd /sys/class/net && echo *) ;;
        ipproto) words='tcp udp icmp ipv6-icmp' ;;
        *) words="$*"; [[ " $words " != *" $prev "* ]] || words= ;;
      esac ;;
    *) return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}

)sh";

constexpr char kTail[] = R"sh(
# The words up to the cursor, and where each begins in COMP_WORDS: bash takes an address apart at its
# colons.
_srcsel_words() {
  local rest=$COMP_LINE word gap i
  words=() places=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]} gap=' '
    if [[ $word ]]; then
      gap=${rest%%"$word"*} rest=${rest#*"$word"}
    fi
    if ((i)) && [[ ! $gap && ($word == :* || ${words[-1]} == *:) && ${words[-1]} != = ]]; then
      words[-1]+=$word
    else
      words+=("$word") places+=("$i")
    fi
  done
}

_srcsel() {
  local words places
  _srcsel_words
  local last=$((${#words[@]} - 1))
  local cur=${words[last]} prev=${words[last - 1]}
  local verb= verbs= options= argument= value= wanted= command= word i
  COMPREPLY=()
  [[ $cur != = ]] || cur=
  _srcsel_of ''
  for ((i = 1; i < last && !command; i++)); do
    word=${words[i]}
    if [[ $word == = ]]; then
      continue
    elif [[ $wanted ]]; then
      wanted=
    elif [[ $argument == command && $word == -- ]]; then
      command=$((i + 1))
    elif [[ $word == -* ]]; then
      value=
      _srcsel_value "$verb" "$word"
      wanted=${value:+$word}
    elif [[ " $verbs " == *" $word "* ]]; then
      verb=${verb:+$verb }$word
      _srcsel_of "$verb"
    elif [[ $argument == command ]]; then
      command=$i
    fi
  done
  if [[ $wanted ]]; then
    _srcsel_offer ${value%% *} "$cur" "$prev" ${value#* }
  elif [[ ! $command && ($cur == -* || ! $verbs$argument) ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ $verbs ]]; then
    COMPREPLY=($(compgen -W "$verbs" -- "$cur"))
  elif [[ $argument != command ]]; then
    _srcsel_offer ${argument%% *} "$cur" "$prev" ${argument#* }
  elif ((${command:-last} == last)); then
    COMPREPLY=($(compgen -c -- "$cur"))
  elif declare -F _command_offset >/dev/null; then
    _command_offset "${places[command]}"
  else
    _srcsel_offer file "$cur" "$prev"
  fi
  # What stands before the last colon stays on the line.
  if [[ ! $command && $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${cur%:*}:"}")
  fi
}

complete -F _srcsel srcsel
)sh";

// As _srcsel_offer takes it.
std::string Kind(const CommandWord &word) {
  switch (word.offer) {
    case Offer::kChoices:
      return absl::StrCat("choices ", absl::StrJoin(word.choices, " "));
    case Offer::kFlow:
      return absl::StrCat("flow ", absl::StrJoin(word.choices, " "));
    case Offer::kFile:
      return "file";
    case Offer::kNetns:
      return "netns";
    case Offer::kCgroup:
      return "cgroup";
    case Offer::kProcess:
      return "process";
    case Offer::kAddress:
      return "address";
    case Offer::kCommand:
      return "command";
    case Offer::kNothing:
      break;
  }
  return "nothing";
}

std::string NamesOf(const std::vector<CommandWord> &options) {
  return absl::StrJoin(options, " ", [](std::string *out, const CommandWord &option) {
    absl::StrAppend(out, absl::StrJoin(option.names, " "));
  });
}

std::string VerbsOf(const Command &command) {
  return absl::StrJoin(command.verbs, " ", [](std::string *out, const Command &verb) {
    absl::StrAppend(out, LastWord(verb));
  });
}

std::string CommandCase(const Command &command) {
  return absl::StrCat("    '", command.name, "') verbs='", VerbsOf(command), "' options='",
                      NamesOf(command.options), "' argument='",
                      command.arguments.empty() ? "" : Kind(command.arguments.front()), "' ;;\n");
}

std::string ValueCases(const Command &command) {
  std::string cases;
  for (const CommandWord &option : command.options)
    if (!option.value.empty())
      absl::StrAppend(&cases, "    '", command.name, " ",
                      absl::StrJoin(option.names, absl::StrCat("' | '", command.name, " ")),
                      "') value='", Kind(option), "' ;;\n");
  return cases;
}

}  // namespace

std::string BashCompletion(const Command &root) {
  std::string of = "_srcsel_of() {\n  case $1 in\n";
  std::string value = "_srcsel_value() {\n  case \"$1 $2\" in\n";
  for (const Command *command : AllOf(root)) {
    of += CommandCase(*command);
    value += ValueCases(*command);
  }
  return absl::StrCat(kBashHead, of, "  esac\n}\n\n", value, "  esac\n}\n", kTail);
}

}  // namespace srcsel
