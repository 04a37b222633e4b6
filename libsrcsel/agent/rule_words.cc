#include "agent/rule_words.hh"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <iterator>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/uplink.hh"
#include "base/mark.hh"

namespace srcsel {
namespace {

template <typename Range>
std::string RangeWords(const Range &range) {
  return range.first == range.last ? absl::StrCat(range.first)
                                   : absl::StrCat(range.first, "-", range.last);
}

std::string PortWords(const Range16 &ports, const std::optional<std::uint16_t> &mask) {
  return mask ? absl::StrFormat("0x%x/0x%x", ports.first, *mask) : RangeWords(ports);
}

std::string ActionWords(const Rule &rule) {
  switch (rule.action) {
    case FR_ACT_TO_TBL:
      return rule.l3mdev ? "lookup [l3mdev-table]" : absl::StrCat("lookup ", TableName(rule.table));
    case FR_ACT_GOTO:
      return absl::StrCat("goto ", rule.goto_pref);
    case FR_ACT_NOP:
      return "nop";
    case FR_ACT_BLACKHOLE:
      return "blackhole";
    case FR_ACT_UNREACHABLE:
      return "unreachable";
    case FR_ACT_PROHIBIT:
      return "prohibit";
    default:
      return absl::StrCat("action ", static_cast<int>(rule.action));
  }
}

}  // namespace

std::string ProtocolName(int proto) {
  switch (proto) {
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_UDP:
      return "udp";
    case IPPROTO_ICMP:
      return "icmp";
    case IPPROTO_ICMPV6:
      return "ipv6-icmp";
    default:
      return absl::StrCat(proto);
  }
}

std::string RuleWords(const Rule &rule) {
  std::string text = rule.flags & FIB_RULE_INVERT ? "not " : "";
  absl::StrAppend(&text, "from ", rule.from.length == 0 ? "all" : rule.from.ToString(), " ");
  const auto add = [&](const auto &...words) { absl::StrAppend(&text, words..., " "); };
  if (rule.to.length != 0) add("to ", rule.to.ToString());
  if (rule.tos != 0) add("tos ", absl::StrFormat("0x%02x", rule.tos));
  if (rule.mark != 0 || rule.mark_mask != 0)
    add("fwmark ", Mark{rule.mark, rule.mark_mask}.ToString());
  if (!rule.iif.empty()) add("iif ", rule.iif);
  if (!rule.oif.empty()) add("oif ", rule.oif);
  if (rule.uids) add("uidrange ", rule.uids->first, "-", rule.uids->last);
  if (rule.proto != 0) add("ipproto ", ProtocolName(rule.proto));
  if (rule.sports) add("sport ", PortWords(*rule.sports, rule.sport_mask));
  if (rule.dports) add("dport ", PortWords(*rule.dports, rule.dport_mask));
  if (rule.tun_id != 0) add("tun_id ", rule.tun_id);
  if (rule.dscp) add("dscp ", static_cast<int>(*rule.dscp));
  if (rule.flow_label) add("flowlabel ", absl::StrFormat("0x%x", *rule.flow_label));
  absl::StrAppend(&text, ActionWords(rule));
  if (rule.suppress_plen >= 0)
    absl::StrAppend(&text, " suppress_prefixlength ", rule.suppress_plen);
  if (rule.suppress_group) absl::StrAppend(&text, " suppress_ifgroup ", *rule.suppress_group);
  return text;
}

std::string RuleWords(const State &state, int family, std::size_t index, std::uint32_t pref) {
  std::size_t number = 0;
  const Rule *same_pref = nullptr;
  for (const Rule &rule : state.rules) {
    if (rule.family != family) continue;
    if (number++ == index && rule.pref == pref) return RuleWords(rule);
    if (same_pref == nullptr && rule.pref == pref) same_pref = &rule;
  }
  if (same_pref != nullptr) return RuleWords(*same_pref);
  return "a rule that the namespace began with, and that may still be in force";
}

std::string RouteTypeWord(std::uint8_t type) {
  static constexpr const char *kWords[] = {"unspec",   "unicast",   "local",     "broadcast",
                                           "anycast",  "multicast", "blackhole", "unreachable",
                                           "prohibit", "throw",     "nat",       "xresolve"};
  return type < std::size(kWords) ? kWords[type] : absl::StrCat(static_cast<int>(type));
}

}  // namespace srcsel
