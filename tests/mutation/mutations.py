"""The clauses of the evaluator, each with what it is without itself.

NAME: (file, text, replacement). The text occurs exactly once in the file.
"""

RULES = "libsrcsel/engine/rules.h"
TABLE = "libsrcsel/engine/table.h"
SOURCE6 = "libsrcsel/engine/source6.h"
COMPILE_RULES = "libsrcsel/image/compile_rules.cc"
COMPILE_TABLES = "libsrcsel/image/compile_tables.cc"
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
ROTATION = "libsrcsel/lookup/default_rotation.cc"

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
    "rule suppress_prefixlength": (RULES, "else if (route->plen <= rule->suppress_plen)", "else if (0)"),
    "rule suppress_ifgroup": (RULES, "else if (rule->suppress_group == route->group)",
                              "else if (0)"),
    # The lookup of a table.
    "route throw": (RULES, "|| route->type == RTN_THROW) return 0;", ") return 0;"),
    "route unreachable": (WALK, "case RTN_UNREACHABLE:\n      return EHOSTUNREACH;",
                          "case RTN_UNREACHABLE:\n      return EINVAL;"),
    "route prohibit": (WALK, "case RTN_PROHIBIT:\n      return EACCES;",
                       "case RTN_PROHIBIT:\n      return EINVAL;"),
    "route tos": (TABLE, "if (route->dscp && (route->dscp ^ s->flow->dscp) & 7) return 0;", ""),
    "route from": (TABLE, "return from && !srcsel_outside(&s->flow->src, from);", "return 1;"),
    "routes of a device": (TABLE, "if (SRCSEL_BOUND_FLOWS && flow->oif) return", "if (0) return"),
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
    "merged local and main": (COMPILE_TABLES, "if (MayBeMerged(state_)) MarkMerged(tables);",
                              "if (false && MayBeMerged(state_)) MarkMerged(tables);"),
    "deleted boot rules of IPv6": (
        COMPILE_RULES,
        "if (family == SRCSEL_V6 && untouched) AddDeletedBootRules(tables, out);", ""),
    # The source.
    "prefsrc": (PATHS, "if (terms.prefsrc) {", "if (false) {"),
    "scopes of addresses": (SOURCE4, "if (std::min(a.scope, widest_host) > scope) continue;", ""),
    "the gateway's subnet": (SOURCE4, "if (!hint || a.subnet.Contains(*hint)) return a.local;",
                             "return a.local;"),
    "lent addresses": (SOURCE4, "if (const auto own = OfDevice(state, ifindex, hint, scope)) return {*own};",
                       "return {OfDevice(state, ifindex, hint, scope).value_or(IpAddress())};"),
    "source6 same address": (
        SOURCE6, "score += srcsel_is_zero(difference) * SRCSEL_SCORE_SAME;", ""),
    "source6 label": (
        SOURCE6, "score += srcsel_is_zero(a->label ^ s->label) * SRCSEL_SCORE_LABEL;", ""),
    "source6 interface": (
        SOURCE6, "score += (on_oif | srcsel_is_zero(s->oif)) * SRCSEL_SCORE_OIF;", ""),
    "source6 longest prefix": (
        SOURCE6,
        "score += srcsel_smaller(srcsel_common_bits(&a->key, &s->dst), a->plen) * "
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
    "a second try of IPv6": (SELECT, "else if (outcome.error == 0)", "else if (true)"),
    "later lookups of IPv4": (SELECT, "return first.varies() || snapshot_", "return false && snapshot_"),
    "strict devices": (LOOKUP6, "return query.strict || query.flow.oif_strict ||", "return false &&"),
    # Several paths.
    "the source's nexthop": (
        MULTIPATH, "const int owns = bound && kept == source ? 2 : 0;",
        "const int owns = 0;"),
    "neighbours of group members": (
        MULTIPATH, "if (!UsableInGroup(paths[i].neighbour)) continue;\n      if (Within", "if (Within"),
    "weights": (MULTIPATH, "sum += paths[i].weight;", "sum += 1;"),
    "buckets": (MULTIPATH, "buckets.subspan(*hash % buckets.size(), 1)", "buckets.subspan(0, 1)"),
    "hash of ports": (FLOW_HASH, "block.SetPorts(", "if (false) block.SetPorts("),
    "several defaults": (CHOOSE_PATH, "if (route.flags & SRCSEL_ROUTE_ROTATES) {", "if (false) {"),
}
