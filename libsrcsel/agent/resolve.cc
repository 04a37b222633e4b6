#include "agent/resolve.hh"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/cgroup_id.hh"
#include "agent/cgroup_root.hh"
#include "agent/check_source.hh"
#include "agent/mark_rules.hh"
#include "agent/rule_findings.hh"
#include "agent/steer.hh"
#include "agent/uplink.hh"
#include "base/status.hh"
#include "lookup/snapshot.hh"

namespace srcsel {
namespace {

// Those whose flows the rule may hold for.
std::vector<int> FamiliesOf(const PolicyRule &rule) {
  if (rule.to.empty() && rule.sets.empty()) return {AF_INET, AF_INET6};
  std::vector<int> families;
  for (int family : {AF_INET, AF_INET6}) {
    const auto of_family = [&](const Prefix &p) { return p.address.family() == family; };
    if (std::ranges::any_of(rule.to, of_family) ||
        std::ranges::any_of(rule.sets, [&](const auto &set) {
          return std::ranges::any_of(set->prefixes, of_family);
        }))
      families.push_back(family);
  }
  return families;
}

class Resolver {
 public:
  Resolver(const State &state, Findings &findings) : state_(state), findings_(findings) {}

  absl::Status Resolve(PolicyRule &rule) {
    RuleFindings found(rule, findings_);
    for (Cgroup &cgroup : rule.cgroups) FindCgroup(cgroup, found);
    if (rule.lookup)
      FindMark(rule, found);
    else if (rule.mark)
      CheckMark(rule, found);
    for (const Source &source : rule.sources)
      if (const absl::Status usable = CheckSource(source, state_); !usable.ok())
        found.Add(Severity::kError, "source", std::string(usable.message()));
    if (rule.pool != nullptr) CheckPool(*rule.pool, found);
    return WantsSteering(rule) ? SteerRule(rule) : absl::OkStatus();
  }

 private:
  void FindCgroup(Cgroup &cgroup, RuleFindings &found) {
    if (!cgroups_) cgroups_ = FindCgroupRoot();
    if (!cgroups_->ok())
      return found.Add(Severity::kError, "cgroup", std::string(cgroups_->status().message()));
    const absl::StatusOr<std::uint64_t> id = CgroupId((*cgroups_)->root, cgroup);
    if (id.ok())
      cgroup.id = *id;
    else
      found.Add(Severity::kWarning, "cgroup",
                absl::StrCat(id.status().message(),
                             "; the rule holds for nothing in it until the policy is read again"));
  }

  void FindMark(PolicyRule &rule, RuleFindings &found) {
    const std::vector<int> families = FamiliesOf(rule);
    const auto mark = MarkThatLeadsTo(state_, *rule.lookup, families);
    const std::string table = TableName(*rule.lookup);
    if (!mark) {
      const char *ip = families.front() == AF_INET ? "ip" : "ip -6";
      return found.Add(
          Severity::kError, "lookup",
          absl::StrCat("no ip rule leads to table ", table, " by fwmark alone; this does: ", ip,
                       " rule add fwmark ", UnusedMark(state_, *rule.lookup), " lookup ", table));
    }
    rule.mark = mark;
    rule.home_mark = true;
    found.Add(Severity::kNote, "lookup",
              absl::StrCat("mark ", mark->ToString(), " leads to table ", table));
  }

  void CheckMark(const PolicyRule &rule, RuleFindings &found) const {
    const std::uint32_t mark = rule.mark->AppliedTo(0);
    if (AnyRuleSelects(state_, AF_INET, mark) || AnyRuleSelects(state_, AF_INET6, mark)) return;
    found.Add(Severity::kWarning, "mark",
              absl::StrCat("no ip rule selects fwmark ", rule.mark->ToString(),
                           ": routes and sources stay as they are without it"));
  }

  // Members come and go with their addresses.
  void CheckPool(const Pool &pool, RuleFindings &found) const {
    std::size_t usable = 0;
    for (const PoolMember &member : pool.members) {
      const absl::Status status =
          member.source ? CheckSource(*member.source, state_) : absl::OkStatus();
      usable += status.ok();
      if (!status.ok())
        found.Add(Severity::kWarning, "source",
                  absl::StrCat("pool ", pool.name, " goes without ", status.message()));
    }
    if (usable == 0)
      found.Add(Severity::kError, "source",
                absl::StrCat("pool ", pool.name, " has no member that this host can use"));
  }

  absl::Status SteerRule(PolicyRule &rule) {
    if (!snapshot_) {
      SRCSEL_ASSIGN_OR_RETURN(snapshot_, Snapshot::Make(state_, 1));
    }
    return Steer(rule, *snapshot_, findings_);
  }

  const State &state_;
  Findings &findings_;
  std::optional<absl::StatusOr<CgroupRoot>> cgroups_;
  std::unique_ptr<const Snapshot> snapshot_;
};

}  // namespace

absl::StatusOr<Resolution> Resolve(const Policy &policy, const State &state) {
  Resolution resolution{policy, {}};
  Resolver resolver(state, resolution.findings);
  for (PolicyRule &rule : resolution.policy.rules) SRCSEL_RETURN_IF_ERROR(resolver.Resolve(rule));
  return resolution;
}

}  // namespace srcsel
