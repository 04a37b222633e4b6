#include "image/policy_rows.hh"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status.hh"

namespace srcsel {
namespace {

// The rule once for each kind of the items, with those alone.
template <typename T, typename Kind>
std::vector<PolicyRule> Split(const std::vector<PolicyRule> &rules,
                              std::vector<T> PolicyRule::*items, Kind kind) {
  std::vector<PolicyRule> out;
  for (const PolicyRule &rule : rules) {
    std::map<std::uint32_t, std::vector<T>> by_kind;
    for (const T &item : rule.*items) by_kind[kind(item)].push_back(item);
    if (by_kind.size() <= 1) {
      out.push_back(rule);
      continue;
    }
    for (auto &[unused, some] : by_kind) {
      out.push_back(rule);
      out.back().*items = std::move(some);
    }
  }
  return out;
}

absl::Status NoteLevel(std::uint32_t level, PolicyRows &out) {
  if (std::ranges::find(out.levels, level) != out.levels.end()) return absl::OkStatus();
  const auto free = std::ranges::find(out.levels, SRCSEL_NONE);
  if (free == out.levels.end())
    return absl::ResourceExhaustedError(
        absl::StrCat("compile policy: its cgroups are on more than ", SRCSEL_CGROUPS,
                     " levels of the hierarchy"));
  *free = level;
  return absl::OkStatus();
}

}  // namespace

std::set<Selector> SelectorsOf(const PolicyRule &rule) {
  std::set<Selector> all;
  const auto add = [&](srcsel_property property, bool selects) {
    if (selects) all.insert({property});
  };
  add(SRCSEL_BY_PROTO, !rule.protos.empty() || OnlyFamily(rule) != 0);
  add(SRCSEL_BY_UID, !rule.uids.empty());
  add(SRCSEL_BY_GID, !rule.gids.empty());
  add(SRCSEL_BY_CLASSID, !rule.classids.empty());
  add(SRCSEL_BY_COMM, !rule.comms.empty());
  for (const Cgroup &cgroup : rule.cgroups) all.insert({SRCSEL_BY_CGROUP, cgroup.level});
  for (const Mark &mark : rule.marks) all.insert({SRCSEL_BY_MARK, mark.mask});
  add(SRCSEL_BY_DST, !rule.to.empty() || !rule.sets.empty());
  add(SRCSEL_BY_DPORT, !rule.dports.empty());
  return all;
}

int OnlyFamily(const PolicyRule &rule) {
  if (rule.to.empty() || !rule.sets.empty()) return 0;
  const int family = rule.to.front().address.family();
  const bool only = std::ranges::all_of(rule.to, [&](const Prefix &prefix) {
    return prefix.length == 0 && prefix.address.family() == family;
  });
  return only ? family : 0;
}

std::uint32_t PolicyRows::PlaceOf(std::uint32_t level) const {
  return static_cast<std::uint32_t>(std::ranges::find(levels, level) - levels.begin());
}

absl::StatusOr<PolicyRows> TakeApart(const Policy &policy) {
  PolicyRows out;
  std::set<Selector> selectors;
  out.levels.fill(SRCSEL_NONE);
  for (std::uint32_t id = 0; id < policy.rules.size(); ++id) {
    std::vector<PolicyRule> parts = Split({policy.rules[id]}, &PolicyRule::cgroups,
                                          [](const Cgroup &cgroup) { return cgroup.level; });
    parts = Split(parts, &PolicyRule::marks, [](const Mark &mark) { return mark.mask; });
    for (PolicyRule &part : parts) {
      if (!part.cgroups.empty()) SRCSEL_RETURN_IF_ERROR(NoteLevel(part.cgroups.front().level, out));
      if (!part.marks.empty() && !std::ranges::count(out.mark_masks, part.marks.front().mask))
        out.mark_masks.push_back(part.marks.front().mask);
      std::set<Selector> of_part = SelectorsOf(part);
      selectors.insert(of_part.begin(), of_part.end());
      out.rows.push_back({std::move(part), id, std::move(of_part)});
    }
  }
  if (out.rows.size() > SRCSEL_MAX_POLICY)
    return absl::ResourceExhaustedError(absl::StrCat("compile policy: ", out.rows.size(),
                                                     " rules, at most ", SRCSEL_MAX_POLICY,
                                                     " fit into an image"));
  if (selectors.size() > SRCSEL_MAX_DIMENSIONS)
    return absl::ResourceExhaustedError(absl::StrCat(
        "compile policy: its rules select by ", selectors.size(),
        " different things (each cgroup level and each mask of marks counts), at most ",
        SRCSEL_MAX_DIMENSIONS, " fit into an image"));
  return out;
}

}  // namespace srcsel
