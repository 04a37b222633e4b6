#include "agent/fit_marks.hh"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "image/policy_rows.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

std::size_t CountLevels(const std::set<Selector> &selectors) {
  return static_cast<std::size_t>(std::ranges::count_if(
      selectors, [](const Selector &by) { return by.property == SRCSEL_BY_CGROUP; }));
}

bool HasRoomFor(const Selector &by, const std::set<Selector> &kept) {
  return kept.size() < SRCSEL_MAX_DIMENSIONS &&
         (by.property != SRCSEL_BY_CGROUP || CountLevels(kept) < SRCSEL_CGROUPS);
}

std::set<Selector> Fitting(const Policy &file, const std::vector<PolicyRule> &rules) {
  std::set<Selector> kept;
  for (const PolicyRule &rule : file.rules) kept.merge(SelectorsOf(rule));
  std::map<Selector, std::size_t> uses;
  for (const PolicyRule &rule : rules)
    for (const Selector &by : SelectorsOf(rule)) ++uses[by];
  std::vector<std::pair<std::size_t, Selector>> by_use;
  for (const auto &[by, count] : uses) by_use.emplace_back(count, by);
  std::ranges::stable_sort(by_use, std::ranges::greater(),
                           &std::pair<std::size_t, Selector>::first);
  for (const auto &[count, by] : by_use)
    if (HasRoomFor(by, kept)) kept.insert(by);
  return kept;
}

std::string Words(const Selector &by) {
  switch (by.property) {
    case SRCSEL_BY_PROTO:
      return "protocols";
    case SRCSEL_BY_UID:
      return "users";
    case SRCSEL_BY_GID:
      return "groups";
    case SRCSEL_BY_CLASSID:
      return "classes of net_cls";
    case SRCSEL_BY_COMM:
      return "commands";
    case SRCSEL_BY_CGROUP:
      return absl::StrCat("cgroups of level ", by.argument);
    case SRCSEL_BY_MARK:
      return absl::StrCat("marks under the mask 0x", absl::Hex(by.argument));
    case SRCSEL_BY_DST:
      return "destinations";
    case SRCSEL_BY_DPORT:
      return "ports";
    case SRCSEL_PROPERTIES:
      break;
  }
  return "";
}

void Remove(const Selector &by, PolicyRule &rule) {
  switch (by.property) {
    case SRCSEL_BY_PROTO:
      rule.protos.clear();
      if (OnlyFamily(rule) != 0) rule.to.clear();
      break;
    case SRCSEL_BY_UID:
      rule.uids.clear();
      break;
    case SRCSEL_BY_GID:
      rule.gids.clear();
      break;
    case SRCSEL_BY_CLASSID:
      rule.classids.clear();
      break;
    case SRCSEL_BY_COMM:
      rule.comms.clear();
      break;
    case SRCSEL_BY_CGROUP:
      rule.cgroups.clear();
      break;
    case SRCSEL_BY_MARK:
      rule.marks.clear();
      break;
    case SRCSEL_BY_DST:
      rule.to.clear();
      rule.sets.clear();
      break;
    case SRCSEL_BY_DPORT:
      rule.dports.clear();
      break;
    case SRCSEL_PROPERTIES:
      break;
  }
}

PolicyRule Left(PolicyRule rule, const std::vector<Selector> &beyond) {
  rule.name =
      absl::StrCat(rule.name.empty() ? "what is left as it is" : rule.name, ": looks at ",
                   Words(beyond.front()), ", and a policy has room for ", SRCSEL_MAX_DIMENSIONS,
                   " different things, at most ", SRCSEL_CGROUPS, " of them levels of cgroups");
  for (const Selector &by : beyond) Remove(by, rule);
  rule.mark.reset();
  rule.apply = Apply::kMark;
  rule.home_mark = rule.plain_tos = false;
  rule.leave = true;
  return rule;
}

}  // namespace

std::size_t RoomBehind(const Policy &file) {
  return file.rules.size() < SRCSEL_MAX_POLICY ? SRCSEL_MAX_POLICY - file.rules.size() : 1;
}

void FitBehind(const Policy &file, MarkPolicy &marks) {
  const std::set<Selector> kept = Fitting(file, marks.rules);
  for (PolicyRule &rule : marks.rules) {
    std::vector<Selector> beyond;
    std::ranges::set_difference(SelectorsOf(rule), kept, std::back_inserter(beyond));
    if (beyond.empty()) continue;
    rule = Left(std::move(rule), beyond);
    if (std::ranges::count(marks.not_understood, rule.name) == 0)
      marks.not_understood.push_back(rule.name);
  }
}

}  // namespace srcsel
