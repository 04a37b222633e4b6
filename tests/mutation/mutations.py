"""The clauses of the evaluator, each with what it is without itself.

NAME: (file, text, replacement). The text occurs exactly once in the file.

Not here: what PathFinder::FindLink() says of links that are down or without a carrier. A route's
own nexthops are listed as dead by the kernel, and a nexthop object goes with its link's carrier
(and cannot be added without), so nothing hangs on it. Nor that secondary addresses are not lent:
Linux has them behind their primary one, whose subnet and scope are theirs.
"""

RULES = "libsrcsel/engine/rules.h"
TABLE = "libsrcsel/engine/table.h"
SOURCE6 = "libsrcsel/engine/source6.h"
COMPILE_RULES = "libsrcsel/image/compile_rules.cc"
COMPILE_TABLES = "libsrcsel/image/compile_tables.cc"
COMPILE_SOURCES6 = "libsrcsel/image/compile_sources6.cc"
ALIASES = "libsrcsel/image/aliases.cc"
PATHS = "libsrcsel/image/paths.cc"
SOURCE4 = "libsrcsel/image/source4.cc"
LOOKUP4 = "libsrcsel/lookup/lookup4.cc"
LOOKUP6 = "libsrcsel/lookup/lookup6.cc"
SELECT = "libsrcsel/lookup/select.cc"
WALK = "libsrcsel/lookup/walk.cc"
CHOOSE_PATH = "libsrcsel/lookup/choose_path.cc"
MULTIPATH = "libsrcsel/lookup/multipath.cc"
FLOW_HASH = "libsrcsel/lookup/flow_hash.cc"
UNLISTED = "libsrcsel/netlink/unlisted_routes.cc"
ROTATION = "libsrcsel/lookup/default_rotation.cc"
DEFAULTS = "libsrcsel/image/default_routes.cc"

MUTATIONS = {
    # The selectors of a rule.
    "rule to": (RULES, "miss |= srcsel_outside(&flow->dst, &rule->to);", ""),
    "rule from": (RULES, "miss |= srcsel_outside(&flow->src, &rule->from);", ""),
    "rule fwmark": (RULES, "return (mark ^ rule->mark) & rule->mark_mask;", "return 0;"),
    "rule iif, tun_id": (RULES, "miss |= rule->flags & SRCSEL_RULE_NEVER;", ""),
    "rule from needs a source": (
        RULES,
        "miss |= -srcsel_is_zero(flow->src.hi | flow->src.lo) & "
        "(rule->flags & SRCSEL_RULE_NEED_SRC);",
        ""),
    "rule l3mdev": (
        RULES,
        "miss |= -srcsel_is_zero(flow->oif) & (rule->flags & SRCSEL_RULE_NEED_OIF);",
        ""),
    "rule oif": (RULES, "miss |= (rule->oif ^ flow->oif) & (srcsel_is_zero(rule->oif) - 1);", ""),
    "rule ipproto": (RULES, "miss |= (rule->proto ^ flow->proto) & rule->proto_mask;", ""),
    "rule dport": (
        RULES, "miss |= srcsel_beyond(flow->dport, rule->dport_first, rule->dport_last);", ""),
    "rule dport mask": (
        RULES, "miss |= (flow->dport ^ rule->dport_first) & rule->dport_mask;", ""),
    "rule sport": (
        RULES, "srcsel_beyond(flow->sport, rule->sport_first, rule->sport_last) |", "0 |"),
    "rule sport mask": (
        RULES, "((flow->sport ^ rule->sport_first) & rule->sport_mask)) *", "0) *"),
    "rule flowlabel": (RULES, "miss |= (flow->label ^ rule->label) & rule->label_mask &",
                       "miss |= 0 &"),
    "rule uidrange": (
        RULES, "miss |= srcsel_beyond(flow->uid, rule->uid_first, rule->uid_last) &",
        "miss |= 0 &"),
    "rule tos, dscp": (RULES, "miss |= (flow->dscp ^ rule->dscp) & rule->dscp_mask &",
                       "miss |= 0 &"),
    "rule tos in IPv4 has three bits": (
        COMPILE_RULES, "out.dscp_mask = family == SRCSEL_V4 ? kLowerThree : kAllBits;",
        "out.dscp_mask = kAllBits;"),
    "rule not": (RULES,
                 "return rule->flags & SRCSEL_RULE_INVERT ? SRCSEL_HOLDS : SRCSEL_HOLDS_NOT;",
                 "return SRCSEL_HOLDS_NOT;"),
    # The actions of a rule.
    "rule goto": (RULES, "if (rule->target != SRCSEL_NONE) w->next = (__u16)rule->target;", ""),
    "rule unreachable": (WALK, "case SRCSEL_RULE_UNREACHABLE:\n      return ENETUNREACH;",
                         "case SRCSEL_RULE_UNREACHABLE:\n      return EINVAL;"),
    "rule prohibit": (WALK, "case SRCSEL_RULE_PROHIBIT:\n      return EACCES;",
                      "case SRCSEL_RULE_PROHIBIT:\n      return EINVAL;"),
    "rule blackhole": (
        WALK, "case SRCSEL_RULE_PROHIBIT:\n      return EACCES;\n    default:\n      return EINVAL;",
        "case SRCSEL_RULE_PROHIBIT:\n      return EACCES;\n    default:\n      return ENETUNREACH;"),
    "rule nop": (
        RULES, "  } else if (rule->action == SRCSEL_RULE_NOP) {\n    return 0;\n", ""),
    "rule suppress_prefixlength": (RULES, "else if (route->plen <= rule->suppress_plen)", "else if (0)"),
    "rule suppress_ifgroup": (RULES, "else if (rule->suppress_group == route->group)",
                              "else if (0)"),
    # The lookup of a table.
    "route throw": (RULES, "|| route->type == RTN_THROW) return 0;", ") return 0;"),
    "route unreachable": (WALK, "case RTN_UNREACHABLE:\n      return EHOSTUNREACH;",
                          "case RTN_UNREACHABLE:\n      return EINVAL;"),
    "route prohibit": (WALK, "case RTN_PROHIBIT:\n      return EACCES;",
                       "case RTN_PROHIBIT:\n      return EINVAL;"),
    "route blackhole": (
        WALK, "case RTN_PROHIBIT:\n      return EACCES;\n    default:\n      return EINVAL;",
        "case RTN_PROHIBIT:\n      return EACCES;\n    default:\n      return EHOSTUNREACH;"),
    "route tos": (TABLE, "if (route->dscp && (route->dscp ^ s->flow->dscp) & 7) return 0;", ""),
    "route from": (TABLE, "return from && !srcsel_outside(&s->flow->src, from);", "return 1;"),
    "routes of a device": (RULES, "if (SRCSEL_BOUND_FLOWS && w->flow->oif) {", "if (0) {"),
    "a device that is preferred": (
        TABLE, "if (!(flow->facts & SRCSEL_FACT_LOOSE)) return found;", "return found;"),
    "dead nexthops": (PATHS, "path.usable = !(nexthop.flags & RTNH_F_DEAD);", "path.usable = true;"),
    "a nexthop object ends its prefix": (
        ALIASES, "else if (terms.nexthop_id != 0 && terms.tos == 0)", "else if (false)"),
    "router preference": (ALIASES, "return (pref ^ 2) & 3;", "return pref & 0;"),
    "expired routes": (ALIASES, "if (terms.expires && *terms.expires <= 0) continue;", ""),
    "failed gateways of IPv6": (
        ALIASES, "!candidate.Forbids() && HasFailed(paths, device);",
        "!candidate.Forbids() && HasFailed(paths, device) && false;"),
    "routes that may be passed by": (
        COMPILE_TABLES, "if (inner && family == AF_INET6)", "if (false && inner)"),
    "a group's first device": (
        ALIASES, "if (candidate.strict) route.flags |= SRCSEL_ROUTE_STRICT;", ""),
    "terms of siblings": (
        PATHS, "if (terms.own.empty())", "if (terms.own.empty() || true)"),
    "siblings that no flow was found for": (
        LOOKUP6, "if (path.hidden) answers_.DoubtAll(Ambiguity::kRoutes);", ""),
    "routes that are not listed": (
        UNLISTED, "if (!group.unlisted.empty()) Mark(group, state.routes);", "{}"),
    "the way back through a gate": (
        COMPILE_TABLES, "if (rest.head != rest.all) add_back(rest.all);", ""),
    "what is passed by, of any device": (
        WALK, "flow_.oif != 0 && flow_.facts & SRCSEL_FACT_LOOSE && PassBy", "false && PassBy"),
    "merged local and main": (COMPILE_TABLES, "if (MayBeMerged(state_)) MarkMerged(tables);",
                              "if (false && MayBeMerged(state_)) MarkMerged(tables);"),
    "routes of main behind those of local": (
        COMPILE_TABLES, "if (!rows[0].merged && rows.back().merged) {", "if (false) {"),
    "deleted boot rules of IPv6": (
        COMPILE_RULES,
        "if (family == SRCSEL_V6 && untouched) AddDeletedBootRules(tables, out);", ""),
    # The source.
    "prefsrc": (PATHS, "if (terms.prefsrc) {", "if (false) {"),
    "scopes of addresses": (SOURCE4, "if (std::min(a.scope, widest_host) > scope) continue;", ""),
    "the gateway's subnet": (SOURCE4, "return near.empty() ? eligible : near;", "return eligible;"),
    "lent addresses": (SOURCE4, "  return OfAnyDevice(state, scope);\n", "  return {};\n"),
    "sources that were lent": (SOURCE4, "if (kept.empty() || hop.flags", "if (hop.flags"),
    "sources that routes outlive": (
        SOURCE4, "if (prefsrc && std::ranges::find(", "if (false && std::ranges::find("),
    "sources from before the device had one": (
        SOURCE4, "|| hop.flags & RTNH_F_ONLINK", ""),
    "sources of another day": (
        SOURCE4, "if (kept.empty() || hop.flags", "if (kept.size() == 1) return {};\n  if (hop.flags"),
    "nexthop just taken": (CHOOSE_PATH, "JustTaken(paths, terms, query, reached)", "std::nullopt"),
    "group of one": (PATHS, "paths.all.size() == 1 && !paths.forbids", "false"),
    "link-scope addresses are not lent": (SOURCE4, "&& a.scope != RT_SCOPE_LINK &&", "&&"),
    "source6 tentative": (COMPILE_SOURCES6, "!address.local.IsMulticast() &&\n         !tentative;",
                          "!address.local.IsMulticast();"),
    "source6 deprecated": (
        COMPILE_SOURCES6, "(IFA_F_DEPRECATED | (optimistic_is_good ? 0 : IFA_F_OPTIMISTIC));",
        "(optimistic_is_good ? 0 : IFA_F_OPTIMISTIC);"),
    "source6 optimistic": (
        COMPILE_SOURCES6, "(IFA_F_DEPRECATED | (optimistic_is_good ? 0 : IFA_F_OPTIMISTIC));",
        "IFA_F_DEPRECATED;"),
    "source6 optimistic at last": (
        COMPILE_SOURCES6,
        "if (!(from.flags & IFA_F_OPTIMISTIC)) address.score |= SRCSEL_SCORE_NOT_OPTIMISTIC;", ""),
    "source6 temporary": (
        COMPILE_SOURCES6,
        "if (temporary == (link.use_tempaddr >= kPreferTemporary)) "
        "address.score |= SRCSEL_SCORE_PRIVACY;", ""),
    "source6 temporary as asked for": (
        COMPILE_SOURCES6, "if (temporary) address.flags |= SRCSEL_ADDRESS_TEMPORARY;", ""),
    # A kernel looks at home addresses, or it does not.
    "source6 home": (COMPILE_SOURCES6, "if (state_.settings.mobility6 && from.flags",
                     "if (!state_.settings.mobility6 && from.flags"),
    "source6 orchid": (
        COMPILE_SOURCES6,
        "if (srcsel_is_orchid(&address.key)) address.score |= SRCSEL_SCORE_ORCHID;", ""),
    "source6 label of an interface": (
        COMPILE_SOURCES6, ".oif_mask = label.ifindex == 0 ? 0 : 0xffffffff,", ".oif_mask = 0,"),
    "source6 scope": (
        SOURCE6,
        "score += (((128 - a->scope) & (narrow - 1)) | (a->scope & -narrow)) * SRCSEL_SCORE_SCOPE;",
        ""),
    "source6 an interface's own alone": (
        SOURCE6, "score += (on_oif & a->flags) * SRCSEL_SCORE_ONLY;", ""),
    "source6 on the link alone": (
        SOURCE6, "const __u64 candidate = on_oif | ((s->only ^ 1) &",
        "const __u64 candidate = on_oif | (1 &"),
    "source6 same address": (
        SOURCE6, "score += srcsel_is_zero(difference) * SRCSEL_SCORE_SAME;", ""),
    "source6 label": (
        SOURCE6, "score += srcsel_is_zero(a->label ^ s->label) * SRCSEL_SCORE_LABEL;", ""),
    "source6 interface": (
        SOURCE6, "score += (on_oif | srcsel_is_zero(s->oif)) * SRCSEL_SCORE_OIF;", ""),
    "source6 longest prefix": (
        SOURCE6,
        "score += srcsel_smaller(srcsel_common_bits(&a->key, s->dst), a->plen) * "
        "SRCSEL_SCORE_PREFIX;", ""),
    # Before and after the lookup.
    "a source must be the host's": (
        LOOKUP4,
        "const Own own = query_.flow.transparent ? Own::kYes : OwnSource4(snapshot_, query_.src);",
        "const Own own = Own::kYes;"),
    "a device that is down": (LOOKUP4, "if (!(link->flags & IFF_UP)) return Fail(ENETUNREACH);", ""),
    "on-link without a route": (LOOKUP4, "if (reached.error != 0 && query_.flow.oif != 0)",
                                "if (false)"),
    "loopback sources stay": (
        LOOKUP4, "if (outcome.source.IsLoopback() && !LetsLoopbackOut(outcome.oif))", "if (false)"),
    "to groups by the source's device": (
        LOOKUP4, "if (oif == 0 && (multicast || broadcast)) return LeaveByOwner();", ""),
    "groups on the link": (LOOKUP4, "IsOnLinkMulticast(query_.dst) || ", ""),
    "a source before the lookup, to groups": (
        LOOKUP4, "if (!bound && multicast) return AsIfBound(RT_SCOPE_UNIVERSE);", ""),
    "a source before the lookup, to 0.0.0.0": (
        LOOKUP4, "if (!bound && query_.dst.IsUnspecified()) return AsIfBound(RT_SCOPE_HOST);", ""),
    "a port before the first lookup": (
        SELECT, "for (const std::uint16_t port : snapshot_.PortClasses(AF_INET)) First(port);",
        "First(0);"),
    "the socket's source": (
        SELECT, "if (outcome.error == 0) outcome.source = second.source;", ""),
    "a lookup after the port": (SELECT, "        Third(query, outcome);",
                                "        Finish(outcome);"),
    "ports may differ": (
        SELECT,
        "if (snapshot_.PortClasses(AF_INET).size() > 1) answers_.Doubt(Ambiguity::kPort);", ""),
    "no TCP to groups": (SELECT, "if (IsTcp()) return group || all ? ENETUNREACH : 0;",
                         "if (IsTcp()) return 0;"),
    "broadcast must be allowed": (SELECT, "return all && !flow_.broadcast ? EACCES : 0;",
                                  "return 0;"),
    "link-local needs a scope id": (
        SELECT, "if (flow_.oif == 0 && NeedsScopeId()) return answers_.Add({.error = EINVAL});",
        ""),
    "a second try of IPv6": (SELECT, "else if (outcome.error == 0)", "else if (true)"),
    "later lookups of IPv4": (SELECT, "return first.varies() || snapshot_", "return false && snapshot_"),
    "strict devices": (LOOKUP6, "return query.strict || query.flow.oif_strict ||", "return false &&"),
    # Several paths.
    "the source's nexthop": (
        MULTIPATH, "const int owner = owns[i] == Owns::kYes || supposed == i ? 2 : 0;",
        "const int owner = 0;"),
    "the source that a nexthop keeps": (
        PATHS, "if (family == AF_INET && terms.nexthops.size() > 1)", "if (false)"),
    "neighbours of nexthops": (
        MULTIPATH, "(use_neigh && !UsableInGroup(paths[i].neighbour))", "false"),
    "siblings of the device": (
        MULTIPATH, "if (terms.strict_oif != 0 && path.oif != terms.strict_oif) return false;", ""),
    "neighbours of siblings": (
        MULTIPATH, "return !terms.ask_neighbours || UsableAsRouter6(path.neighbour);",
        "return true;"),
    "neighbours of group members": (
        MULTIPATH, "if (!UsableInGroup(paths[i].neighbour)) continue;\n      if (Within", "if (Within"),
    "weights": (MULTIPATH, "sum += paths[i].weight;", "sum += 1;"),
    "buckets": (MULTIPATH, "buckets.subspan(*hash % buckets.size(), 1)", "buckets.subspan(0, 1)"),
    "hash of ports": (FLOW_HASH, "block.SetPorts(", "if (false) block.SetPorts("),
    "hash of the flow label": (FLOW_HASH, "if (!is_v4) block.SetFlowLabel(",
                               "if (false) block.SetFlowLabel("),
    "hash policy 1": (FLOW_HASH, "case 1:\n      return kSrc | kDst | kProto | kSport | kDport;",
                      "case 1:\n      return kSrc | kDst;"),
    "hash policy 2": (
        FLOW_HASH,
        "    case 0:\n"
        "    case 2:  // the headers inside a tunnel's, which a flow of this host does not have\n",
        "    case 2:\n      return kDst;\n    case 0:\n"),
    "hash policy 3": (FLOW_HASH, "return settings.multipath_fields[family] & kOuter;",
                      "return kSrc | kDst;"),
    "defaults of a tos": (
        DEFAULTS, "if (route.tos != 0 && route.tos != (tos & kTosMask)) continue;", ""),
    "defaults of a metric": (
        DEFAULTS, "if (route.metric > metric && route.tos == last_tos) continue;", ""),
    "defaults of a scope": (DEFAULTS, "if (route.scope != routes[found].scope || ", "if ("),
    "the default remembered": (ROTATION, "if (valid && turn != memory) return {index, turn};",
                               "if (valid) return {index, turn};"),
    "several defaults": (CHOOSE_PATH, "if (route.flags & SRCSEL_ROUTE_ROTATES) {", "if (false) {"),
}
