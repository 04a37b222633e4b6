#include "image/compile_rules.hh"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "image/key.hh"

namespace srcsel {
namespace {

void SetRanges(const Rule &rule, srcsel_rule &out) {
  const Range32 uids = rule.uids.value_or(Range32{});
  const Range16 sports = rule.sports.value_or(Range16{});
  const Range16 dports = rule.dports.value_or(Range16{});
  out.uid_first = uids.first;
  out.uid_last = uids.last;
  out.sport_first = sports.first;
  out.sport_last = rule.sport_mask ? 0xffff : sports.last;
  out.sport_mask = rule.sport_mask.value_or(0);
  out.dport_first = dports.first;
  out.dport_last = rule.dport_mask ? 0xffff : dports.last;
  out.dport_mask = rule.dport_mask.value_or(0);
  if (rule.uids) out.inputs |= SRCSEL_IN_UID;
  if (rule.sports) out.inputs |= SRCSEL_IN_SPORT;
}

// A tos in the rule's header is compared under IPTOS_RT_MASK in IPv4, all six bits in IPv6.
void SetDscp(const Rule &rule, srcsel_family family, srcsel_rule &out) {
  constexpr __u8 kAllBits = 0x3f, kLowerThree = 0x07;
  if (rule.dscp) {
    out.dscp = *rule.dscp;
    out.dscp_mask = rule.dscp_mask.value_or(kAllBits);
  } else if (rule.tos) {
    out.dscp = rule.tos >> 2;
    out.dscp_mask = family == SRCSEL_V4 ? kLowerThree : kAllBits;
  }
  if (out.dscp_mask) out.inputs |= SRCSEL_IN_DSCP;
}

void SetInterfaces(const Rule &rule, const State &state, srcsel_rule &out) {
  if (!rule.oif.empty()) {
    const auto link = std::ranges::find(state.links, rule.oif, &Link::name);
    if (link == state.links.end())
      out.flags |= SRCSEL_RULE_NEVER;
    else
      out.oif = link->index;
  }
  const bool has_vrfs = std::ranges::any_of(state.links, &Link::vrf);
  if ((!rule.iif.empty() && rule.iif != "lo") || rule.tun_id || (rule.l3mdev && !has_vrfs))
    out.flags |= SRCSEL_RULE_NEVER;
  if (!rule.l3mdev) return;
  out.flags |= SRCSEL_RULE_NEED_OIF;
  if (has_vrfs) out.inputs |= SRCSEL_IN_OPAQUE;
}

void SetLabel(const Rule &rule, srcsel_rule &out) {
  constexpr __u32 kAllBits = 0xfffff;
  if (!rule.flow_label) return;
  out.label = *rule.flow_label;
  out.label_mask = rule.flow_label_mask.value_or(kAllBits);
  out.inputs |= SRCSEL_IN_LABEL;
}

// An l3mdev rule has none of its own; inverted it holds outside of VRFs too, where to the kernel's
// fib_get_table() no table means main.
std::uint32_t TableOf(const Rule &rule) {
  return rule.table == RT_TABLE_UNSPEC ? std::uint32_t{RT_TABLE_MAIN} : rule.table;
}

std::uint32_t GotoTarget(const std::vector<const Rule *> &rules, std::size_t self) {
  for (std::size_t i = self + 1; i < rules.size(); ++i)
    if (rules[i]->pref == rules[self]->goto_pref) return static_cast<std::uint32_t>(i);
  return SRCSEL_NONE;
}

srcsel_rule CompileRule(const Rule &rule, const State &state, srcsel_family family) {
  srcsel_rule out{};
  out.to = MatchOf(rule.to);
  const bool finds_source = (rule.flags & FIB_RULE_FIND_SADDR) != 0;
  if (!finds_source) out.from = MatchOf(rule.from);
  out.mark = rule.mark;
  out.mark_mask = rule.mark_mask;
  out.proto = rule.proto;
  out.proto_mask = rule.proto ? 0xff : 0;
  if (family == SRCSEL_V6 && rule.from.length > 0 && !finds_source)
    out.flags |= SRCSEL_RULE_NEED_SRC;
  if (rule.flags & FIB_RULE_INVERT) out.flags |= SRCSEL_RULE_INVERT;
  out.action = rule.action;
  out.target = SRCSEL_NONE;
  out.suppress_plen = static_cast<__s16>(std::clamp(rule.suppress_plen, -1, 128));
  out.suppress_group = rule.suppress_group.value_or(SRCSEL_NONE);
  out.pref = rule.pref;
  SetRanges(rule, out);
  SetDscp(rule, family, out);
  SetInterfaces(rule, state, out);
  SetLabel(rule, out);
  if (finds_source) out.inputs |= SRCSEL_IN_OPAQUE;
  return out;
}

// A deleted IPv6 boot rule acts on until some rule is added. If nothing but boot rules is left,
// nobody can tell whether one was.
void AddDeletedBootRules(const CompiledTables &tables, std::vector<srcsel_rule> &rules) {
  constexpr std::pair<std::uint32_t, std::uint32_t> kBoot[] = {{0, RT_TABLE_LOCAL},
                                                               {32766, RT_TABLE_MAIN}};
  Rule any;
  any.from = any.to = Prefix::Default(AF_INET6);
  srcsel_rule boot = CompileRule(any, State(), SRCSEL_V6);
  boot.flags = SRCSEL_RULE_BOOT;
  boot.inputs = SRCSEL_IN_OPAQUE;
  for (const auto &[pref, table] : kBoot) {
    boot.pref = pref;
    boot.target = tables.Find(SRCSEL_V6, table);
    const auto place = std::ranges::lower_bound(rules, pref, {}, &srcsel_rule::pref);
    if (place == rules.end() || place->pref != pref) rules.insert(place, boot);
  }
}

bool IsBootRule6(const Rule &rule) {
  const bool local = rule.pref == 0 && rule.table == RT_TABLE_LOCAL;
  const bool main = rule.pref == 32766 && rule.table == RT_TABLE_MAIN;
  return rule.family == AF_INET6 && (local || main);
}

}  // namespace

absl::StatusOr<std::vector<srcsel_rule>> CompileRules(const State &state, srcsel_family family,
                                                      const CompiledTables &tables) {
  std::vector<const Rule *> rules;
  for (const Rule &rule : state.rules)
    if (rule.family == (family == SRCSEL_V4 ? AF_INET : AF_INET6)) rules.push_back(&rule);
  if (rules.size() > SRCSEL_MAX_RULES)
    return absl::ResourceExhaustedError(absl::StrCat("compile ip rules: ", rules.size(),
                                                     " rules, at most ", SRCSEL_MAX_RULES,
                                                     " fit into an image"));
  std::vector<srcsel_rule> out;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    srcsel_rule rule = CompileRule(*rules[i], state, family);
    if (rule.action == SRCSEL_RULE_TABLE) rule.target = tables.Find(family, TableOf(*rules[i]));
    if (rule.action == SRCSEL_RULE_GOTO) rule.target = GotoTarget(rules, i);
    out.push_back(rule);
  }
  const bool untouched =
      std::ranges::all_of(rules, [](const Rule *rule) { return IsBootRule6(*rule); });
  if (family == SRCSEL_V6 && untouched) AddDeletedBootRules(tables, out);
  return out;
}

}  // namespace srcsel
