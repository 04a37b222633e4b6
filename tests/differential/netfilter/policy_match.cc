#include "policy_match.hh"

#include <algorithm>

namespace srcsel {
namespace {

template <typename T, typename F>
bool Selects(const std::vector<T> &list, F holds) {
  return list.empty() || std::ranges::any_of(list, holds);
}

bool ToHolds(const PolicyRule &rule, const IpAddress &destination) {
  const auto contains = [&](const Prefix &p) {
    return p.address.family() == destination.family() && p.Contains(destination);
  };
  return (rule.to.empty() && rule.sets.empty()) || std::ranges::any_of(rule.to, contains) ||
         std::ranges::any_of(rule.sets, [&](const auto &set) {
           return std::ranges::any_of(set->prefixes, contains);
         });
}

bool Holds(const PolicyRule &rule, const NfFlow &flow) {
  const auto in = [](auto number) {
    return [number](const auto &range) { return range.first <= number && number <= range.last; };
  };
  return ToHolds(rule, flow.destination) &&
         Selects(rule.protos, [&](std::uint8_t proto) { return proto == flow.proto; }) &&
         Selects(rule.dports, in(flow.dport)) && Selects(rule.uids, in(flow.uid)) &&
         Selects(rule.gids, in(flow.gid)) && Selects(rule.classids, in(flow.classid.value_or(0))) &&
         Selects(rule.cgroups, [&](const Cgroup &c) { return IsWithin(flow.cgroup, c.path); }) &&
         Selects(rule.marks, [&](const Mark &m) { return (flow.mark & m.mask) == m.value; });
}

}  // namespace

const PolicyRule *FirstMatch(const std::vector<PolicyRule> &rules, const NfFlow &flow) {
  const auto found =
      std::ranges::find_if(rules, [&](const PolicyRule &rule) { return Holds(rule, flow); });
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace srcsel
