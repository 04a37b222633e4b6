#include "agent/fit_marks.hh"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
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

struct Property {
  std::string name;  // in the plural
  void (*remove)(PolicyRule &rule);
};

Property Of(const Selector &by) {
  switch (by.property) {
    case SRCSEL_BY_PROTO:
      return {"protocols", [](PolicyRule &rule) {
                rule.protos.clear();
                if (OnlyFamily(rule) != 0) rule.to.clear();
              }};
    case SRCSEL_BY_UID:
      return {"users", [](PolicyRule &rule) { rule.uids.clear(); }};
    case SRCSEL_BY_GID:
      return {"groups", [](PolicyRule &rule) { rule.gids.clear(); }};
    case SRCSEL_BY_CLASSID:
      return {"classes of net_cls", [](PolicyRule &rule) { rule.classids.clear(); }};
    case SRCSEL_BY_COMM:
      return {"commands", [](PolicyRule &rule) { rule.comms.clear(); }};
    case SRCSEL_BY_CGROUP:
      return {absl::StrCat("cgroups of level ", by.argument),
              [](PolicyRule &rule) { rule.cgroups.clear(); }};
    case SRCSEL_BY_MARK:
      return {absl::StrCat("marks under the mask 0x", absl::Hex(by.argument)),
              [](PolicyRule &rule) { rule.marks.clear(); }};
    case SRCSEL_BY_DST:
      return {"destinations", [](PolicyRule &rule) {
                rule.to.clear();
                rule.sets.clear();
              }};
    case SRCSEL_BY_DPORT:
      return {"ports", [](PolicyRule &rule) { rule.dports.clear(); }};
    case SRCSEL_PROPERTIES:
      break;
  }
  return {"", [](PolicyRule &) {}};
}

PolicyRule Left(PolicyRule rule, const std::vector<Selector> &beyond) {
  rule.name =
      absl::StrCat(rule.name.empty() ? "what is left as it is" : rule.name, ": looks at ",
                   Of(beyond.front()).name, ", and a policy has room for ", SRCSEL_MAX_DIMENSIONS,
                   " different things, at most ", SRCSEL_CGROUPS, " of them levels of cgroups");
  for (const Selector &by : beyond) Of(by).remove(rule);
  rule.mark.reset();
  rule.apply = Apply::kMark;
  rule.home_mark = rule.plain_tos = rule.marked_later = false;
  rule.leave = true;
  return rule;
}

}  // namespace

std::size_t RoomBehind(const Policy &file) {
  const absl::StatusOr<PolicyRows> rows = TakeApart(file);
  return rows.ok() ? SRCSEL_MAX_POLICY - rows->rows.size() : 0;
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
