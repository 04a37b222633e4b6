#include "policy/shadows.hh"

#include <algorithm>
#include <iterator>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace srcsel {
namespace {

bool Covers(const Prefix &wide, const Prefix &narrow) {
  return wide.length <= narrow.length && wide.Contains(narrow.address);
}
bool Covers(const Range16 &wide, const Range16 &narrow) {
  return wide.first <= narrow.first && narrow.last <= wide.last;
}
bool Covers(const Range32 &wide, const Range32 &narrow) {
  return wide.first <= narrow.first && narrow.last <= wide.last;
}
bool Covers(const Cgroup &wide, const Cgroup &narrow) {
  return wide.level == 0 || wide.path == narrow.path ||
         absl::StartsWith(narrow.path, absl::StrCat(wide.path, "/"));
}
bool Covers(const Mark &wide, const Mark &narrow) {
  return (wide.mask & narrow.mask) == wide.mask && (narrow.value & wide.mask) == wide.value;
}
template <typename T>
bool Covers(const T &wide, const T &narrow) {
  return wide == narrow;
}

// An empty list holds for everything.
template <typename T>
bool CoverAll(const std::vector<T> &wide, const std::vector<T> &narrow) {
  if (wide.empty() || narrow.empty()) return wide.empty();
  return std::ranges::all_of(narrow, [&](const T &one) {
    return std::ranges::any_of(wide, [&](const T &other) { return Covers(other, one); });
  });
}

class Shadows {
 public:
  bool Shadow(const PolicyRule &early, const PolicyRule &late) {
    return CoverAll(early.protos, late.protos) && CoverAll(early.dports, late.dports) &&
           CoverAll(early.uids, late.uids) && CoverAll(early.gids, late.gids) &&
           CoverAll(early.classids, late.classids) && CoverAll(early.comms, late.comms) &&
           CoverAll(early.marks, late.marks) && CoverAll(early.cgroups, late.cgroups) &&
           CoverDestinations(early, late);
  }

 private:
  bool CoverDestinations(const PolicyRule &early, const PolicyRule &late) {
    if (early.to.empty() && early.sets.empty()) return true;
    if (late.to.empty() && late.sets.empty()) return false;
    const auto covered = [&](const Prefix &prefix) { return Contain(early, prefix); };
    return std::ranges::all_of(late.to, covered) &&
           std::ranges::all_of(late.sets, [&](const auto &set) {
             return std::ranges::find(early.sets, set) != early.sets.end() ||
                    std::ranges::all_of(set->prefixes, covered);
           });
  }

  bool Contain(const PolicyRule &rule, const Prefix &prefix) {
    return std::ranges::any_of(rule.to, [&](const Prefix &p) { return Covers(p, prefix); }) ||
           std::ranges::any_of(rule.sets, [&](const auto &set) {
             const std::vector<Prefix> &widest = WidestOf(*set);
             const auto after = std::ranges::upper_bound(widest, prefix);
             return after != widest.begin() && Covers(*std::prev(after), prefix);
           });
  }

  // Those that no other prefix of the set contains: in order, an address is in the last one before
  // it or in none.
  const std::vector<Prefix> &WidestOf(const PrefixSet &set) {
    const auto [found, is_new] = widest_.try_emplace(&set);
    std::vector<Prefix> &widest = found->second;
    if (is_new)
      for (const Prefix &prefix : set.prefixes)
        if (widest.empty() || !Covers(widest.back(), prefix)) widest.push_back(prefix);
    return widest;
  }

  absl::flat_hash_map<const PrefixSet *, std::vector<Prefix>> widest_;
};

}  // namespace

void ReportShadowed(const Policy &policy, Findings &findings) {
  Shadows shadows;
  for (auto late = policy.rules.begin(); late != policy.rules.end(); ++late) {
    const auto early = std::find_if(policy.rules.begin(), late, [&](const PolicyRule &rule) {
      return shadows.Shadow(rule, *late);
    });
    if (early != late)
      findings.push_back({Severity::kWarning, Place::Parse(late->name), "rule",
                          absl::StrCat("never holds: ", early->name, " holds wherever it would")});
  }
}

}  // namespace srcsel
