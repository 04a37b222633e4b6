#include "agent/resolve.hh"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/cgroup_id.hh"
#include "agent/check_source.hh"
#include "agent/first_datagram.hh"
#include "agent/mark_rules.hh"
#include "agent/rule_findings.hh"
#include "agent/uplink.hh"
#include "base/cgroup_root.hh"
#include "base/in_netns.hh"
#include "base/status.hh"
#include "lookup/snapshot.hh"
#include "policy/words.hh"

namespace srcsel {
namespace {

// Those whose flows the rule may hold for. Sets are sorted, by family first.
std::vector<int> FamiliesOf(const PolicyRule &rule) {
  if (rule.to.empty() && rule.sets.empty()) return {AF_INET, AF_INET6};
  bool has[2] = {};
  const auto see = [&](const Prefix &prefix) { has[prefix.address.family() == AF_INET6] = true; };
  std::ranges::for_each(rule.to, see);
  for (const auto &set : rule.sets) {
    if (set->prefixes.empty()) continue;
    see(set->prefixes.front());
    see(set->prefixes.back());
  }
  std::vector<int> families;
  if (has[0]) families.push_back(AF_INET);
  if (has[1]) families.push_back(AF_INET6);
  return families;
}

// Whether the namespace has only the rules it began with, as far as one can see.
bool IsVirgin(const State &state, int family) {
  return std::ranges::all_of(state.rules, [&](const Rule &rule) {
    return rule.family != family || rule.pref == 0 || rule.pref == 32766 || rule.pref == 32767;
  });
}

// What a file names is there for longer than an interface is; a command begins now.
bool MayCome(const PolicyRule &rule, const Source &source) {
  return rule.name != kCommandLine && std::holds_alternative<DeviceSource>(source);
}

constexpr char kFirstRule[] =
    "the first ip rule that is ever added to a network namespace takes its tables local and main "
    "apart for good, also when it is removed again: a longer prefix in main no longer beats a "
    "shorter one in local";

class Resolver {
 public:
  Resolver(const State &state, Advice advice, Resolution &resolution)
      : state_(state),
        advice_(advice),
        findings_(resolution.findings),
        wanted_(resolution.wanted) {}

  // `before`: the same rule, if it is followed.
  absl::Status Resolve(PolicyRule &rule, const PolicyRule *before) {
    RuleFindings found(rule, findings_);
    for (Cgroup &cgroup : rule.cgroups) FindCgroup(cgroup, found);
    if (rule.home_mark && !IsTold(rule))
      Leave(rule);
    else if (rule.lookup)
      FindMark(rule, before, found);
    else if (rule.mark)
      CheckMark(rule, found);
    for (const Source &source : rule.sources) CheckNamed(source, rule, before != nullptr, found);
    if (rule.pool != nullptr) CheckPool(rule, before != nullptr, found);
    if (WantsSteering(rule)) SRCSEL_RETURN_IF_ERROR(SteerRule(rule));
    if (advice_ == Advice::kNone || !MarksDatagrams(rule)) return absl::OkStatus();
    SRCSEL_RETURN_IF_ERROR(MakeSnapshot());
    return ReportFirstDatagrams(rule, *snapshot_, advice_, findings_, wanted_);
  }

 private:
  void FindCgroup(Cgroup &cgroup, RuleFindings &found) {
    if (cgroup.id != 0) return;
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

  void FindMark(PolicyRule &rule, const PolicyRule *before, RuleFindings &found) {
    const std::vector<int> families = FamiliesOf(rule);
    const auto mark = MarkThatLeadsTo(state_, *rule.lookup, families);
    const std::string table = TableName(*rule.lookup);
    if (!mark && before != nullptr) {
      rule.mark = before->mark;
      rule.home_mark = before->home_mark;
      return;
    }
    if (!mark) {
      const char *ip = families == std::vector<int>{AF_INET6} ? "ip -6" : "ip";
      return found.Add(
          Severity::kError, "lookup",
          absl::StrCat("no ip rule leads to table ", table, " by fwmark alone; this does: ",
                       AsTyped(absl::StrCat(ip, " rule add fwmark ",
                                            UnusedMark(state_, *rule.lookup), " lookup ", table))));
    }
    rule.mark = mark;
    rule.home_mark = true;
    found.Add(Severity::kNote, "lookup",
              absl::StrCat("mark ", mark->ToString(), " leads to table ", table));
  }

  // Of the firewall: whether the mark makes any difference to where flows go.
  bool IsTold(const PolicyRule &rule) const {
    return std::ranges::any_of(
        FamiliesOf(rule), [&](int family) { return AnyRuleTells(state_, family, *rule.mark); });
  }

  static void Leave(PolicyRule &rule) {
    rule.mark.reset();
    rule.apply = Apply::kMark;
    rule.home_mark = false;
    rule.leave = true;
  }

  void CheckMark(const PolicyRule &rule, RuleFindings &found) const {
    const std::uint32_t mark = rule.mark->AppliedTo(0);
    if (AnyRuleSelects(state_, AF_INET, mark) || AnyRuleSelects(state_, AF_INET6, mark)) return;
    found.Add(Severity::kWarning, "mark",
              absl::StrCat("no ip rule selects fwmark ", rule.mark->ToString(),
                           ": routes and sources stay as they are without it"));
  }

  void CheckNamed(const Source &source, PolicyRule &rule, bool followed, RuleFindings &found) {
    const absl::Status &usable = Try(source, rule);
    if (usable.ok()) return;
    std::string why(usable.message());
    if (!followed && !MayCome(rule, source))
      return found.Add(Severity::kError, "source", std::move(why));
    GoWithout(rule, why, "it is up and has an address", found);
    rule.lacks.push_back({source, std::move(why)});
  }

  // Members come and go with their addresses.
  void CheckPool(PolicyRule &rule, bool followed, RuleFindings &found) {
    const Pool &pool = *rule.pool;
    bool may_come = followed;
    std::vector<Lack> lacks;
    for (const PoolMember &member : pool.members) {
      const absl::Status status = member.source ? Try(*member.source, rule) : absl::OkStatus();
      if (status.ok()) continue;
      found.Add(Severity::kWarning, "source",
                absl::StrCat("pool ", pool.name, " goes without ", status.message()));
      may_come |= MayCome(rule, *member.source);
      lacks.push_back({*member.source, std::string(status.message())});
    }
    if (lacks.size() < pool.members.size()) return;
    const std::string none =
        absl::StrCat("pool ", pool.name, " has no member that this host can use");
    if (!may_come) return found.Add(Severity::kError, "source", none);
    GoWithout(rule, none, "there is one", found);
    rule.lacks = std::move(lacks);
  }

  static void GoWithout(const PolicyRule &rule, const std::string &why, absl::string_view until,
                        RuleFindings &found) {
    found.Add(Severity::kWarning, "source",
              absl::StrCat(why, "; the rule goes without a source until ", until,
                           ", which srcsel follows: till then ",
                           rule.on_fail == OnFail::kReject ? "calls fail" : "the kernel chooses"));
  }

  // Many rules may name one source.
  const absl::Status &Try(const Source &source, const PolicyRule &rule) {
    const auto [known, is_new] = tried_.try_emplace({ToString(source), FamiliesOf(rule)});
    if (is_new) known->second = CheckSource(source, known->first.second, state_);
    return known->second;
  }

  absl::Status SteerRule(PolicyRule &rule) {
    SRCSEL_RETURN_IF_ERROR(MakeSnapshot());
    return Steer(rule, *snapshot_, advice_, findings_, wanted_);
  }

  absl::Status MakeSnapshot() {
    if (snapshot_) return absl::OkStatus();
    SRCSEL_ASSIGN_OR_RETURN(snapshot_, Snapshot::Make(state_, 1));
    return absl::OkStatus();
  }

  const State &state_;
  const Advice advice_;
  Findings &findings_;
  std::vector<Rule> &wanted_;
  std::map<std::pair<std::string, std::vector<int>>, absl::Status> tried_;
  std::optional<absl::StatusOr<CgroupRoot>> cgroups_;
  std::unique_ptr<const Snapshot> snapshot_;
};

}  // namespace

absl::StatusOr<Resolution> Resolve(const Policy &policy, const State &state, Advice advice,
                                   const Policy &before) {
  Resolution resolution{policy, {}, {}};
  std::vector<PolicyRule> &rules = resolution.policy.rules;
  Resolver resolver(state, advice, resolution);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const bool followed = i < before.rules.size() && before.rules[i].name == rules[i].name;
    SRCSEL_RETURN_IF_ERROR(resolver.Resolve(rules[i], followed ? &before.rules[i] : nullptr));
  }
  if (std::ranges::any_of(resolution.wanted,
                          [&](const Rule &rule) { return IsVirgin(state, rule.family); }))
    resolution.findings.push_back({Severity::kWarning, {}, "--steer", kFirstRule});
  return resolution;
}

}  // namespace srcsel
