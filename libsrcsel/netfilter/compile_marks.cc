#include "netfilter/compile_marks.hh"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "netfilter/class_rules.hh"
#include "netfilter/explore.hh"
#include "netfilter/numbers.hh"

namespace srcsel {
namespace {

constexpr std::size_t kBudget = 400'000;
// Each mask is a dimension of the image, of which there are few.
constexpr std::size_t kMasks = 3;

std::vector<MarkedClass> ClassesOf(const NfRuleSet &rules, int family, const Mark &mark,
                                   FirstWays *ways) {
  std::size_t budget = kBudget;
  Condition flows;
  flows.to = AllOf(family);
  flows.mark = mark;
  return MarkClasses(ChainsThatMatter(rules, family, ways != nullptr), flows, ways, budget);
}

std::size_t CountMasks(const std::vector<MarkedClass> &classes) {
  std::set<std::uint32_t> masks;
  for (const MarkedClass &one : classes) masks.insert(one.flows.mark.mask);
  masks.erase(0);
  return masks.size();
}

std::vector<std::uint8_t> Protocols(const NfNumbers &numbers) {
  std::vector<std::uint8_t> out;
  for (const Range32 &range : numbers)
    for (std::uint32_t proto = range.first; proto <= range.last && proto <= 255; ++proto)
      out.push_back(static_cast<std::uint8_t>(proto));
  return out;
}

std::vector<Range16> Ports(const NfNumbers &numbers) {
  std::vector<Range16> out;
  for (const Range32 &range : numbers)
    if (range.first <= 65535)
      out.push_back({static_cast<std::uint16_t>(range.first),
                     static_cast<std::uint16_t>(std::min<std::uint32_t>(range.last, 65535))});
  return out;
}

void SetDestinations(const NfPrefixes &to, PolicyRule &rule) {
  constexpr std::size_t kFew = 8;
  if (to->prefixes.front().length == 0) return;
  if (to->prefixes.size() <= kFew)
    rule.to = to->prefixes;
  else
    rule.sets = {to};
}

PolicyRule RuleOf(const MarkedClass &one) {
  PolicyRule rule;
  rule.name = one.name.empty() ? one.by_tos : one.name;
  SetDestinations(one.flows.to, rule);
  if (one.flows.protos) rule.protos = Protocols(*one.flows.protos);
  if (one.flows.dports) rule.dports = Ports(*one.flows.dports);
  if (one.flows.uids) rule.uids = *one.flows.uids;
  if (one.flows.gids) rule.gids = *one.flows.gids;
  if (one.flows.classids) rule.classids = *one.flows.classids;
  if (one.flows.cgroup) rule.cgroups = {*one.flows.cgroup};
  if (one.flows.mark.mask != 0) rule.marks = {one.flows.mark};
  rule.mark = one.mark;
  rule.apply = one.apply;
  rule.leave = !one.mark.has_value();
  rule.home_mark = one.mark.has_value();
  rule.plain_tos = !one.by_tos.empty();
  rule.marked_later = one.mark.has_value();
  return rule;
}

std::vector<PolicyRule> RulesOf(const std::vector<MarkedClass> &classes) {
  std::vector<PolicyRule> rules;
  rules.reserve(classes.size());
  for (const MarkedClass &one : classes) rules.push_back(RuleOf(one));
  return rules;
}

// A rule that says nothing of destinations holds for both families.
void KeepTo(int family, std::vector<PolicyRule> &rules) {
  for (PolicyRule &rule : rules)
    if (rule.to.empty() && rule.sets.empty()) rule.to = {Prefix::Default(family)};
}

// As of classes that are not known where they hang on a tos.
void Forget(std::vector<MarkedClass> &classes) {
  for (MarkedClass &one : classes)
    if (!one.by_tos.empty())
      one = {one.flows, absl::StrCat(one.by_tos, ": looks at dscp or tos"), false, std::nullopt};
}

void AddOnce(const std::string &name, std::vector<std::string> &names) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

void Note(const std::vector<MarkedClass> &classes, MarkPolicy &policy) {
  for (const MarkedClass &one : classes) {
    if (!one.known) AddOnce(one.name, policy.not_understood);
    if (!one.by_tos.empty()) AddOnce(one.by_tos, policy.by_tos);
  }
}

bool Alike(const std::vector<PolicyRule> &v4, const std::vector<PolicyRule> &v6) {
  return std::ranges::equal(v4, v6, [](PolicyRule a, const PolicyRule &b) {
    a.name = b.name;
    return a == b;
  });
}

// What no rule holds for is left to the kernel, too; the last rule says why.
void KeepFirst(std::size_t most, MarkPolicy &policy) {
  const std::size_t all = policy.rules.size();
  if (all <= most) return;
  policy.limits.push_back(absl::StrCat("the rules make ", all, " classes of flows, ", most,
                                       " fit: the rest is left to the kernel"));
  policy.rules.resize(most);
  if (most == 0) return;
  policy.rules.back() = PolicyRule();
  policy.rules.back().name = "beyond the rules that fit";
  policy.rules.back().leave = true;
}

MarkPolicy Compile(const NfRuleSet &rules, std::size_t most, FirstWays *ways, bool tos_is_seen) {
  MarkPolicy policy;
  std::vector<MarkedClass> classes[2];
  std::size_t masks = 0;
  for (int family : {AF_INET, AF_INET6}) {
    classes[family == AF_INET6] = ClassesOf(rules, family, {0, 0}, ways);
    masks = std::max(masks, CountMasks(classes[family == AF_INET6]));
  }
  if (masks > kMasks) {
    policy.limits.emplace_back(
        "the rules look at marks under many masks: sockets that bear a mark of their own are left "
        "to the kernel");
    for (int family : {AF_INET, AF_INET6})
      classes[family == AF_INET6] = ClassesOf(rules, family, {0, 0xffffffff}, ways);
  }
  for (std::vector<MarkedClass> &of_family : classes) {
    if (!tos_is_seen) Forget(of_family);
    Note(of_family, policy);
  }
  policy.rules = RulesOf(classes[0]);
  std::vector<PolicyRule> v6 = RulesOf(classes[1]);
  if (!Alike(policy.rules, v6)) {
    KeepTo(AF_INET, policy.rules);
    KeepTo(AF_INET6, v6);
    std::ranges::move(v6, std::back_inserter(policy.rules));
  }
  KeepFirst(most, policy);
  return policy;
}

}  // namespace

MarkPolicy CompileMarks(const NfRuleSet &rules, std::size_t most, FirstWays *ways) {
  return Compile(rules, most, ways, true);
}

MarkPolicy CompileMarksForFile(const NfRuleSet &rules, std::size_t most) {
  return Compile(rules, most, nullptr, false);
}

}  // namespace srcsel
