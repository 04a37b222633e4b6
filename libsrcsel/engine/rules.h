/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rules.h: the walk of the ip rules, as fib_rules_lookup() does it for a locally originated flow at
 * its first lookup.
 *
 * A rule is evaluated as the OR of the differences between its selectors and the flow: no branch
 * per selector, so that the verifier sees one path and not two to the power of twelve. User space
 * stops at the first difference.
 *
 * Cost: linear in the rules up to the one that decides, plus a trie lookup for each that matches.
 */
#ifndef SRCSEL_ENGINE_RULES_H
#define SRCSEL_ENGINE_RULES_H

#include <linux/rtnetlink.h>

#include "engine/table.h"

enum srcsel_verdict {
  SRCSEL_UNREACHED = 0, /* the rules ran out, or one of them or a route forbids */
  SRCSEL_ROUTED,        /* `route` is the answer */
  SRCSEL_UNKNOWABLE,    /* a rule hangs on an input the caller does not know */
};

struct srcsel_rule_walk {
  srcsel_image image;
  const struct srcsel_header *head;
  const struct srcsel_flow *flow;
  __u32 mark; /* the mark to evaluate under, instead of the flow's */
  __u16 next; /* the rule to be looked at */
  /* the answer */
  __u16 verdict;
  __u32 route; /* index; also of one that forbids */
  __u32 pref;
  __u32 rule;  /* index of the rule that decided, SRCSEL_NONE if they ran out */
  __u32 table; /* id of the table that it looks up; of a rule without one 0 */
};

enum srcsel_holds { SRCSEL_HOLDS_NOT, SRCSEL_HOLDS, SRCSEL_HOLDS_PERHAPS };

SRCSEL_INLINE __u32 srcsel_rule_missed(const struct srcsel_rule *rule) {
  return rule->flags & SRCSEL_RULE_INVERT ? SRCSEL_HOLDS : SRCSEL_HOLDS_NOT;
}

SRCSEL_INLINE __u32 srcsel_rule_unmarked(const struct srcsel_rule *rule, __u32 mark) {
  return (mark ^ rule->mark) & rule->mark_mask;
}

SRCSEL_INLINE __u32 srcsel_rule_holds(const struct srcsel_rule *rule,
                                      const struct srcsel_flow *flow, __u32 mark) {
  const __u32 unknown = rule->inputs & flow->unknown;
  __u64 miss = srcsel_rule_unmarked(rule, mark);

  miss |= rule->flags & SRCSEL_RULE_NEVER;
  if (srcsel_settled(miss)) return srcsel_rule_missed(rule);
  miss |= srcsel_outside(&flow->dst, &rule->to);
  if (srcsel_settled(miss)) return srcsel_rule_missed(rule);
  miss |= srcsel_outside(&flow->src, &rule->from);
  if (srcsel_settled(miss)) return srcsel_rule_missed(rule);
  miss |= -srcsel_is_zero(flow->src.hi | flow->src.lo) & (rule->flags & SRCSEL_RULE_NEED_SRC);
  miss |= -srcsel_is_zero(flow->oif) & (rule->flags & SRCSEL_RULE_NEED_OIF);
  miss |= (rule->oif ^ flow->oif) & (srcsel_is_zero(rule->oif) - 1);
  if (srcsel_settled(miss)) return srcsel_rule_missed(rule);
  miss |= (rule->proto ^ flow->proto) & rule->proto_mask;
  miss |= srcsel_beyond(flow->dport, rule->dport_first, rule->dport_last);
  if (srcsel_settled(miss)) return srcsel_rule_missed(rule);
  miss |= (flow->dport ^ rule->dport_first) & rule->dport_mask;
  miss |= (flow->label ^ rule->label) & rule->label_mask &
          (srcsel_is_zero(unknown & SRCSEL_IN_LABEL) * 0xfffff);
  if (srcsel_settled(miss)) return srcsel_rule_missed(rule);
  miss |= (srcsel_beyond(flow->sport, rule->sport_first, rule->sport_last) |
           ((flow->sport ^ rule->sport_first) & rule->sport_mask)) *
          srcsel_is_zero(unknown & SRCSEL_IN_SPORT);
  if (srcsel_settled(miss)) return srcsel_rule_missed(rule);
  miss |= srcsel_beyond(flow->uid, rule->uid_first, rule->uid_last) &
          srcsel_is_zero(unknown & SRCSEL_IN_UID);
  if (srcsel_settled(miss)) return srcsel_rule_missed(rule);
  miss |= (flow->dscp ^ rule->dscp) & rule->dscp_mask & -srcsel_is_zero(unknown & SRCSEL_IN_DSCP);
  if (miss) return srcsel_rule_missed(rule);
  if (unknown) return SRCSEL_HOLDS_PERHAPS;
  return rule->flags & SRCSEL_RULE_INVERT ? SRCSEL_HOLDS_NOT : SRCSEL_HOLDS;
}

/* 1: the table's answer is final and stored in the walk; 0: go on with the next rule. */
SRCSEL_INLINE long srcsel_rule_lookup(struct srcsel_rule_walk *w, const struct srcsel_rule *rule) {
  const struct srcsel_table *table;
  const struct srcsel_route *route;
  __u32 index;

  if (rule->target == SRCSEL_NONE) return 0;
  table = srcsel_table_at(w->image, w->head, rule->target);
  if (!table) return 0;
  w->table = table->id;
  if (SRCSEL_BOUND_FLOWS && w->flow->oif) {
    index = srcsel_search_device(w->image, w->head, rule->target, w->flow);
    route = srcsel_route_at(w->image, w->head, index);
  } else {
    route = srcsel_search_in(w->image, w->head, table, w->flow, &index);
  }
  if (index == SRCSEL_NONE) {
    w->verdict = SRCSEL_UNKNOWABLE;
    return 1;
  }
  if (!route || route->type == RTN_UNSPEC || route->type == RTN_THROW) return 0;
  if (route->type < RTN_BLACKHOLE) {
    const __u32 unknown = (rule->suppress_group != SRCSEL_NONE ? SRCSEL_ROUTE_GROUPS : 0) |
                          (rule->suppress_plen >= 0 ? SRCSEL_ROUTE_LENGTHS : 0);

    w->verdict = SRCSEL_ROUTED;
    if (route->flags & unknown)
      w->verdict = SRCSEL_UNKNOWABLE;
    else if (route->plen <= rule->suppress_plen)
      return w->verdict = SRCSEL_UNREACHED;
    else if (rule->suppress_group == route->group)
      return w->verdict = SRCSEL_UNREACHED;
  }
  w->route = index;
  return 1;
}

static long srcsel_rule_step(__u32 step, void *context) {
  struct srcsel_rule_walk *w = (struct srcsel_rule_walk *)context;
  const struct srcsel_section *rules = &w->head->rules[w->flow->family & 1];
  const __u32 index = w->next;
  const struct srcsel_rule *rule;
  __u32 holds;

  (void)step;
  if (index >= rules->count) return 1;
  rule = (const struct srcsel_rule *)srcsel_object(w->image, rules->page, index, sizeof(*rule));
  if (!rule) return 1;
  w->next = (__u16)(index + 1);
  holds = srcsel_rule_holds(rule, w->flow, w->mark);
  if (holds == SRCSEL_HOLDS_NOT) return 0;
  if (holds == SRCSEL_HOLDS_PERHAPS) {
    w->verdict = SRCSEL_UNKNOWABLE;
  } else if (rule->action == SRCSEL_RULE_TABLE) {
    if (!srcsel_rule_lookup(w, rule)) return 0;
  } else if (rule->action == SRCSEL_RULE_GOTO) {
    if (rule->target != SRCSEL_NONE) w->next = (__u16)rule->target;
    return 0;
  } else if (rule->action == SRCSEL_RULE_NOP) {
    return 0;
  } else {
    w->table = 0;
  }
  w->pref = rule->pref;
  w->rule = w->next - 1;
  return 1;
}

/* The next rule that more than its mark has a say in: most rules are for marks that most flows do
 * not have. User space passes them by without a step for each. */
SRCSEL_INLINE __u32 srcsel_pass_unmarked(const struct srcsel_rule_walk *w, __u32 index) {
  const struct srcsel_section *rules = &w->head->rules[w->flow->family & 1];
  const struct srcsel_rule *rule, *last;

  if (index + 1 >= rules->count) return index;
  rule = (const struct srcsel_rule *)srcsel_object(w->image, rules->page, index, sizeof(*rule));
  last = (const struct srcsel_rule *)srcsel_object(w->image, rules->page, rules->count - 1,
                                                   sizeof(*rule));
  if (!rule || !last) return index;
  for (; rule < last && !(rule->flags & SRCSEL_RULE_INVERT) && srcsel_rule_unmarked(rule, w->mark);
       ++rule)
    ++index;
  return index;
}

static long srcsel_walk_step(__u32 step, void *context) {
  struct srcsel_rule_walk *w = (struct srcsel_rule_walk *)context;

  w->next = (__u16)srcsel_pass_unmarked(w, w->next);
  return srcsel_rule_step(step, w);
}

/* Fills the answer of a walk whose image, head, flow and mark are set, from rule number `first`. */
SRCSEL_INLINE void srcsel_walk_from(struct srcsel_rule_walk *w, __u32 first) {
  /* 6.18 checks the loop once for every combination of constants that it finds here. */
  const __u32 nothing = (__u32)w->head->nothing;

  w->next = (__u16)(first + nothing);
  w->verdict = (__u16)(SRCSEL_UNREACHED + nothing);
  w->route = nothing;
  w->pref = SRCSEL_NONE - nothing;
  w->rule = SRCSEL_NONE - nothing;
  w->table = nothing;
  srcsel_loop(w->head->rules[w->flow->family & 1].count,
              SRCSEL_IN_ONE_PIECE ? srcsel_walk_step : srcsel_rule_step, w);
}

SRCSEL_INLINE void srcsel_walk_rules(struct srcsel_rule_walk *w) {
  srcsel_walk_from(w, 0);
}

#endif /* SRCSEL_ENGINE_RULES_H */
