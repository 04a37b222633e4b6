#include "agent/dead_tables.hh"

#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/uplink.hh"
#include "base/in_netns.hh"

namespace srcsel {
namespace {

using Devices = std::set<std::uint32_t>;

bool IsGlobal(const InterfaceAddress &address) {
  return address.scope == RT_SCOPE_UNIVERSE && !address.local.IsLoopback();
}

bool HasAddress(const State &state, int family) {
  return std::ranges::any_of(state.addresses, [&](const InterfaceAddress &address) {
    return address.local.family() == family && IsGlobal(address);
  });
}

bool IsOwnSubnet(const Prefix &dst, const Nexthop &nexthop, const State &state) {
  return !nexthop.gateway && std::ranges::any_of(state.addresses, [&](const InterfaceAddress &own) {
    return own.ifindex == nexthop.oif && own.subnet.length <= dst.length &&
           own.subnet.Contains(dst.address);
  });
}

bool LeadsOn(const Routes::Entry &route, const RouteTerms &terms, const State &state) {
  if (terms.type == RTN_BROADCAST || terms.type == RTN_ANYCAST || terms.type == RTN_MULTICAST ||
      terms.type == RTN_THROW)
    return false;
  if (route.dst.address.IsMulticast() || route.dst.address.IsLinkLocal()) return false;
  return terms.nexthops.empty() ||
         !std::ranges::all_of(terms.nexthops, [&](const Nexthop &nexthop) {
           return IsOwnSubnet(route.dst, nexthop, state);
         });
}

bool IsDown(const Nexthop &nexthop) {
  return (nexthop.flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0;
}

// What a table has for a family.
struct Content {
  bool any = false;     // a route
  bool alive = false;   // one that leads on, by a way that is not down
  bool takes = false;   // one that takes packets and loses them: no carrier
  bool throws = false;  // a default route that has the next ip rule asked
  Devices ways;         // of those that lead on
  Devices others;       // of the others, and of the other family's
};

Content ContentOf(std::uint32_t table, int family, const State &state) {
  Content content;
  for (const Routes::Entry &route : state.routes.entries()) {
    const RouteTerms &terms = state.routes.TermsOf(route);
    if (terms.table != table) continue;
    const bool is_of_family = route.dst.address.family() == family;
    const bool leads_on = is_of_family && LeadsOn(route, terms, state);
    for (const Nexthop &nexthop : terms.nexthops)
      if (nexthop.oif > kLoIndex) (leads_on ? content.ways : content.others).insert(nexthop.oif);
    content.any |= is_of_family;
    content.throws |= terms.type == RTN_THROW && route.dst == Prefix::Default(family);
    if (!leads_on) continue;
    content.alive |= terms.nexthops.empty() || !std::ranges::all_of(terms.nexthops, IsDown);
    content.takes |= std::ranges::any_of(terms.nexthops, [](const Nexthop &nexthop) {
      return (nexthop.flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) == RTNH_F_LINKDOWN;
    });
  }
  return content;
}

Devices BySource(std::uint32_t table, const State &state) {
  Devices devices;
  for (const Rule &rule : state.rules)
    if (rule.table == table && rule.from.length > 0)
      for (const InterfaceAddress &own : state.addresses)
        if (own.local.family() == rule.family && rule.from.Contains(own.local))
          devices.insert(own.ifindex);
  return devices;
}

// With an address, and no default route but one in main that is not the first.
Devices Spare(int family, const State &state) {
  Devices taken, first;
  std::optional<std::uint32_t> least;
  for (const Routes::Entry &route : state.routes.entries()) {
    if (route.dst != Prefix::Default(family)) continue;
    const RouteTerms &terms = state.routes.TermsOf(route);
    Devices ways;
    for (const Nexthop &nexthop : terms.nexthops) ways.insert(nexthop.oif);
    if (terms.table != RT_TABLE_MAIN) {
      taken.merge(ways);
    } else if (!least || terms.metric < *least) {
      least = terms.metric;
      first = std::move(ways);
    }
  }
  taken.merge(first);
  Devices spare;
  for (const InterfaceAddress &own : state.addresses)
    if (own.ifindex != kLoIndex && IsGlobal(own) && !taken.contains(own.ifindex))
      spare.insert(own.ifindex);
  return spare;
}

const Link *LinkOfTable(const DeadTable &dead, const Content &content, const State &state) {
  for (const Devices &devices :
       {content.others, BySource(dead.rule.table, state), Spare(dead.family, state)})
    if (devices.size() == 1) return LinkOf(state, *devices.begin());
  return nullptr;
}

std::string NamesOf(const Devices &devices, const State &state) {
  return absl::StrJoin(devices, " and ", [&](std::string *out, std::uint32_t device) {
    *out += DeviceName(state, device);
  });
}

// Its routes are there, and their interfaces do not work.
void Describe(const Devices &ways, const State &state, DeadTable &dead) {
  std::vector<std::string> set_up;
  for (const std::uint32_t device : ways)
    if (const Link *link = LinkOf(state, device); link != nullptr && !(link->flags & IFF_UP))
      set_up.push_back(absl::StrCat("ip link set ", link->name, " up"));
  absl::StrAppend(&dead.words, ", whose routes leave by ", NamesOf(ways, state), ", ",
                  set_up.empty() ? "without a carrier" : "which is down");
  dead.mend.typed = absl::StrJoin(set_up, " && ");
  if (set_up.empty())
    dead.mend.missing = "the carrier: see to the cable, or to what is at its other end";
}

// It has no route that leads on.
void Describe(const Content &content, const State &state, DeadTable &dead) {
  const std::string table = TableName(dead.rule.table);
  const char *ip = dead.family == AF_INET ? "ip" : "ip -6";
  // Of one prefix and metric there cannot be two.
  const std::string first =
      content.throws ? absl::StrCat(ip, " route del throw default table ", table, " && ") : "";
  absl::StrAppend(&dead.words, content.throws ? ", whose default route says to go on (throw)"
                               : content.any  ? ", which has no default route"
                                              : ", which is empty");
  const Link *link = LinkOfTable(dead, content, state);
  if (link == nullptr) {
    dead.mend.missing =
        absl::StrCat("the interface it is for, and its gateway: ",
                     AsTyped(absl::StrCat(
                         first, ip, " route add default via GATEWAY dev INTERFACE table ", table)));
    return;
  }
  if (!(link->flags & IFF_UP)) absl::StrAppend(&dead.words, ", and ", link->name, " is down");
  dead.mend = CommandsForDefault(*link, table, dead.family, state, first);
}

}  // namespace

std::vector<DeadTable> FindDeadTables(const State &state) {
  std::vector<DeadTable> found;
  for (const int family : {AF_INET, AF_INET6}) {
    if (!HasAddress(state, family)) continue;
    for (const MarkRule &rule : MarkRules(state, family)) {
      const Content content = ContentOf(rule.table, family, state);
      if (content.alive || rule.table == RT_TABLE_MAIN || rule.table == RT_TABLE_LOCAL ||
          rule.table == RT_TABLE_DEFAULT)
        continue;
      DeadTable dead{
          family,
          rule,
          absl::StrCat(family == AF_INET ? "ip rule " : "ip -6 rule ", rule.pref, " leads mark ",
                       rule.mark.ToString(), " to table ", TableName(rule.table)),
          {}};
      if (content.ways.empty())
        Describe(content, state, dead);
      else
        Describe(content.ways, state, dead);
      absl::StrAppend(&dead.words, content.takes
                                       ? ": what has the mark is lost"
                                       : ": what has the mark is routed as if it had none");
      found.push_back(std::move(dead));
    }
  }
  return found;
}

}  // namespace srcsel
