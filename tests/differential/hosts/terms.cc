#include "differential/hosts/terms.hh"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"

namespace srcsel {
namespace {

bool IsDetached(const State &state, const std::string &name) {
  return !name.empty() && std::ranges::find(state.links, name, &Link::name) == state.links.end();
}

std::vector<std::string> TermsOf(const State &state, const Rule &rule) {
  std::vector<std::string> terms;
  const auto add = [&](bool has, const char *term) {
    if (has) terms.push_back(absl::StrCat(FamilyWord(rule.family), "rule ", term));
  };
  add(rule.from.length, "from");
  add(rule.to.length, "to");
  add(rule.mark_mask, "fwmark");
  add(rule.mark_mask && rule.mark_mask != 0xffffffff, "fwmark with a mask");
  add(rule.iif == "lo", "iif lo");
  add(!rule.oif.empty(), "oif");
  add(IsDetached(state, rule.iif), "iif of a link there is not");
  add(IsDetached(state, rule.oif), "oif of a link there is not");
  add(rule.tos, "tos");
  add(rule.dscp.has_value(), "dscp");
  add(rule.dscp_mask.has_value(), "dscp with a mask");
  add(rule.proto, "ipproto");
  add(rule.sports.has_value(), "sport");
  add(rule.dports.has_value(), "dport");
  add(rule.sport_mask.has_value(), "sport with a mask");
  add(rule.dport_mask.has_value(), "dport with a mask");
  add(rule.uids.has_value(), "uidrange");
  add(rule.tun_id, "tun_id");
  add(rule.l3mdev, "l3mdev");
  add(rule.flow_label.has_value(), "flowlabel");
  add((rule.flags & FIB_RULE_INVERT) != 0, "not");
  add(rule.action == FR_ACT_TO_TBL, "table");
  add(rule.action == FR_ACT_BLACKHOLE, "blackhole");
  add(rule.action == FR_ACT_UNREACHABLE, "unreachable");
  add(rule.action == FR_ACT_PROHIBIT, "prohibit");
  return terms;
}

const NexthopObject *FindObject(const State &state, std::uint32_t id) {
  const auto found = std::ranges::find(state.nexthops, id, &NexthopObject::id);
  return id == 0 || found == state.nexthops.end() ? nullptr : &*found;
}

const RouteTerms *FindRoute(const State &state, const Outcome &outcome) {
  for (const Routes::Entry &entry : state.routes.entries()) {
    const RouteTerms &terms = state.routes.TermsOf(entry);
    if (entry.dst == outcome.dst && terms.table == outcome.table && terms.type == outcome.type &&
        terms.metric == outcome.metric && terms.nexthop_id == outcome.nexthop_id)
      return &terms;
  }
  return nullptr;
}

const char *TypeWord(const RouteTerms &route, const Outcome &outcome) {
  switch (route.type) {
    case RTN_LOCAL:
      return outcome.dst.length < outcome.dst.address.bits() ? "AnyIP" : "local";
    case RTN_BROADCAST:
      return "broadcast";
    case RTN_ANYCAST:
      return "anycast";
    case RTN_MULTICAST:
      return "multicast";
    default:
      return "unicast";
  }
}

void AddNexthopTerms(const RouteTerms &route, const NexthopObject *object, int family,
                     const auto &add) {
  const std::optional<IpAddress> &gateway =
      object ? object->gateway : route.nexthops.front().gateway;
  add(object && object->group.empty(), "nexthop object");
  add(object && !object->group.empty() && !object->resilient, "nexthop group");
  add(object && object->resilient, "resilient group");
  add(!object && route.nexthops.size() > 1, "several nexthops");
  add(gateway.has_value(), "via");
  add(family == AF_INET && gateway && !gateway->is_v4(), "via inet6");
  add(!object && !gateway, "dev alone");
}

}  // namespace

std::vector<std::string> TermsOfRule(const State &state, int family, const Outcome &outcome) {
  const Rule *found = nullptr;
  for (const Rule &rule : state.rules) {
    if (rule.family != family || rule.pref != outcome.rule) continue;
    if (found) return {};
    found = &rule;
  }
  if (!found) return {};
  return TermsOf(state, *found);
}

std::vector<std::string> TermsOfRoute(const State &state, int family, const Outcome &outcome) {
  std::vector<std::string> terms;
  const auto add = [&](bool has, const char *term) {
    if (has) terms.push_back(absl::StrCat(FamilyWord(family), "route ", term));
  };
  if (outcome.error) {
    add(outcome.table && outcome.error == EHOSTUNREACH, "unreachable");
    add(outcome.table && outcome.error == EINVAL, "blackhole");
    add(outcome.table && outcome.error == EACCES, "prohibit");
    return terms;
  }
  add(outcome.table == 0, "none, taken as on-link");
  const RouteTerms *route = FindRoute(state, outcome);
  if (!route) return terms;
  add(true, TypeWord(*route, outcome));
  add(route->prefsrc && route->table != RT_TABLE_LOCAL, "src");
  add(route->tos, "tos");
  add(route->metric && family == AF_INET, "metric");
  add(route->type == RTN_UNICAST && route->scope == RT_SCOPE_HOST, "scope host");
  add(route->src.length, "from");
  add(route->pref, "pref");
  add(route->expires.has_value(), "expires");
  add(route->mtu, "mtu");
  AddNexthopTerms(*route, FindObject(state, route->nexthop_id), family, add);
  return terms;
}

std::string HandingOn(const Rule &rule) {
  if (rule.action == FR_ACT_GOTO) return "goto";
  if (rule.action == FR_ACT_NOP) return "nop";
  if (rule.suppress_plen >= 0) return "suppress_prefixlength";
  if (rule.suppress_group) return "suppress_ifgroup";
  return "";
}

std::vector<std::string> AllTerms() {
  std::vector<std::string> terms;
  for (const int family : {AF_INET, AF_INET6}) {
    for (const char *rule : {"from",
                             "to",
                             "fwmark",
                             "fwmark with a mask",
                             "iif lo",
                             "oif",
                             "iif of a link there is not",
                             "oif of a link there is not",
                             "tos",
                             "dscp",
                             "dscp with a mask",
                             "ipproto",
                             "sport",
                             "dport",
                             "sport with a mask",
                             "dport with a mask",
                             "uidrange",
                             "tun_id",
                             "l3mdev",
                             "not",
                             "table",
                             "blackhole",
                             "unreachable",
                             "prohibit",
                             "goto",
                             "nop",
                             "suppress_prefixlength",
                             "suppress_ifgroup"})
      terms.push_back(absl::StrCat(FamilyWord(family), "rule ", rule));
    for (const char *route : {"unicast", "local", "AnyIP", "multicast", "unreachable", "blackhole",
                              "prohibit", "throw", "src", "mtu", "nexthop object", "nexthop group",
                              "resilient group", "several nexthops", "via", "dev alone"})
      terms.push_back(absl::StrCat(FamilyWord(family), "route ", route));
  }
  for (const char *route :
       {"broadcast", "tos", "metric", "scope host", "via inet6", "none, taken as on-link"})
    terms.push_back(absl::StrCat("IPv4 route ", route));
  for (const char *route : {"anycast", "from", "pref", "expires"})
    terms.push_back(absl::StrCat("IPv6 route ", route));
  terms.push_back("IPv6 rule flowlabel");
  return terms;
}

}  // namespace srcsel
