#include "explain_words.hh"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/cgroup_path.hh"
#include "agent/net_class.hh"
#include "base/status.hh"
#include "policy/words.hh"
#include "route_words.hh"

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

}  // namespace

absl::StatusOr<ExplainWords> ExplainWordsOf(const std::vector<std::string> &words) {
  ExplainWords asked;
  asked.caller.gid = getegid();
  asked.caller.classid = ClassidOf(getpid());
  asked.caller.cgroup = CgroupOf(getpid()).value_or("/");
  std::vector<std::string> of_route;
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (*word != "cgroup" && *word != "comm" && *word != "classid") {
      of_route.push_back(*word);
      continue;
    }
    const std::string &name = *word;
    if (++word == words.end() || word->empty())
      return absl::InvalidArgumentError(absl::StrCat(name, ": a value is missing behind it"));
    if (name == "comm") {
      SRCSEL_ASSIGN_OR_RETURN(asked.caller.comm, CommOfWord(*word));
      continue;
    }
    if (name == "classid") {
      SRCSEL_ASSIGN_OR_RETURN(asked.caller.classid, OneClass(*word));
      continue;
    }
    SRCSEL_ASSIGN_OR_RETURN(asked.caller.cgroup, CgroupPath(*word));
  }
  // In front, where it is no value of a word that has none.
  if (std::ranges::find(of_route, "ipproto") == of_route.end())
    of_route.insert(of_route.begin(), {"ipproto", "tcp"});
  SRCSEL_ASSIGN_OR_RETURN(asked.flow, FlowOfWords(of_route));
  asked.flow.oif_strict = true;
  return asked;
}

}  // namespace srcsel
