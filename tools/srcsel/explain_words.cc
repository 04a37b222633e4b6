#include "explain_words.hh"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "agent/cgroup_path.hh"
#include "agent/net_class.hh"
#include "base/status.hh"
#include "base/unmapped.hh"
#include "policy/words.hh"

namespace srcsel {
namespace {

// A cgroup's path, or the directory of one.
absl::StatusOr<std::string> CgroupPath(const std::string &value) {
  if (value[0] == '/') return value;
  return absl::InvalidArgumentError(absl::StrCat(
      "cgroup ", value, ": give a path from the root of the hierarchy, as in /system.slice"));
}

absl::StatusOr<std::uint32_t> OneClass(const std::string &value) {
  SRCSEL_ASSIGN_OR_RETURN(const Range32 classes, ClassesOfWord(value));
  if (classes.first == classes.last) return classes.first;
  return absl::InvalidArgumentError(
      absl::StrCat("classid ", value, ": a flow has one class, as in ", ClassWord(classes.first)));
}

absl::Status SetCgroup(const std::string &value, Caller &caller) {
  SRCSEL_ASSIGN_OR_RETURN(caller.cgroup, CgroupPath(value));
  return absl::OkStatus();
}

absl::Status SetClassid(const std::string &value, Caller &caller) {
  SRCSEL_ASSIGN_OR_RETURN(caller.classid, OneClass(value));
  return absl::OkStatus();
}

absl::Status SetComm(const std::string &value, Caller &caller) {
  SRCSEL_ASSIGN_OR_RETURN(caller.comm, CommOfWord(value));
  return absl::OkStatus();
}

struct CallerWord {
  WordHelp told;
  absl::Status (*set)(const std::string &value, Caller &caller);
};

constexpr CallerWord kWords[] = {
    {{"cgroup", "P",
      "the caller's, from the root of the hierarchy; that of this process if left out"},
     SetCgroup},
    {{"classid", "C", "the caller's class of net_cls; that of this process if left out"},
     SetClassid},
    {{"comm", "C", "the caller's command name"}, SetComm},
};

// connect() takes an IPv4-mapped address for one of IPv4. Whether it was one.
bool Unmap(std::string &word) {
  const absl::StatusOr<Prefix> said = Prefix::Parse(word);
  if (!said.ok() || Unmapped(*said) == *said) return false;
  word = Unmapped(*said).ToString();
  return true;
}

std::vector<WordHelp> OfCaller() {
  std::vector<WordHelp> words;
  for (const CallerWord &word : kWords) words.push_back(word.told);
  return words;
}

}  // namespace

std::vector<WordHelp> AllExplainWords() {
  return FlowWords(OfCaller());
}

absl::StatusOr<ExplainWords> ExplainWordsOf(const std::vector<std::string> &words) {
  ExplainWords asked;
  asked.caller.gid = getegid();
  asked.caller.classid = ClassidOf(getpid());
  asked.caller.cgroup = CgroupOf(getpid()).value_or("/");
  std::vector<std::string> of_route;
  for (auto word = words.begin(); word != words.end(); ++word) {
    const auto *known = std::ranges::find(kWords, absl::string_view(*word),
                                          [](const CallerWord &w) { return w.told.name; });
    if (known == std::end(kWords)) {
      asked.mapped |= Unmap(of_route.emplace_back(*word));
      continue;
    }
    if (++word == words.end() || word->empty())
      return absl::InvalidArgumentError(
          absl::StrCat(known->told.name, ": a value is missing behind it"));
    SRCSEL_RETURN_IF_ERROR(known->set(*word, asked.caller));
  }
  // In front, where it is no value of a word that has none.
  if (std::ranges::find(of_route, "ipproto") == of_route.end())
    of_route.insert(of_route.begin(), {"ipproto", "tcp"});
  SRCSEL_ASSIGN_OR_RETURN(asked.flow, FlowOfWords(of_route, OfCaller()));
  asked.flow.oif_strict = true;
  return asked;
}

}  // namespace srcsel
