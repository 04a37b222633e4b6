/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * decide.h: from a flow to a decision. This is the whole engine; everything else applies what it
 * says.
 *
 * Contract: pure. Reads the image, writes the decision, nothing else. Whatever is unclear ends in
 * a decision with apply == 0: the socket is left as it is and the kernel chooses.
 *
 * Order: exempt addresses, then the policy, then what the application did itself, then the rule's
 * action; last, what an earlier decision left on the socket. Cost with one policy rule: the header,
 * which tells both the rule and, of most destinations, that they are not local; ip rules are walked
 * only where the policy wants the source of the tables, and for datagrams that a mark comes too
 * late for.
 */
#ifndef SRCSEL_ENGINE_DECIDE_H
#define SRCSEL_ENGINE_DECIDE_H

#include <asm/errno.h>

#include "engine/classify.h"
#include "engine/exempt.h"
#include "engine/own_mark.h"
#include "engine/pool.h"
#include "engine/rules.h"
#include "engine/source6.h"

/*
 * The functions below are the steps of a decision. Each leaves what it found in the decision, whose
 * `reason` says how far it is: SRCSEL_WHY_COUNT, the rule is found and not yet followed;
 * SRCSEL_WHY_TABLE, the source is still to be asked of the tables; all others are final.
 */

/* In both places by a number within the page: what follows is then checked once. */
SRCSEL_INLINE const struct srcsel_policy *srcsel_policy_at(srcsel_image image,
                                                           const struct srcsel_header *head,
                                                           __u32 index) {
  const __u32 size = sizeof(struct srcsel_policy);
  __u64 place = __builtin_offsetof(struct srcsel_header, near) + (__u64)index * size;
  const void *page = head;

  if (index >= SRCSEL_NEAR_POLICY) {
    place = (__u64)index * size;
    page = srcsel_page(image, head->policy.page + (__u32)(place / SRCSEL_PAGE));
    if (!page) return 0;
  }
  return (const struct srcsel_policy *)((const __u8 *)page + (place & (SRCSEL_PAGE - size)));
}

SRCSEL_INLINE __u32 srcsel_has_source(const struct srcsel_policy *policy, __u32 family) {
  return policy->has_source[family] | (policy->slots[family] != 0);
}

/* Whether the rule's mark would come too late for what is sent now, or never. */
SRCSEL_INLINE __u32 srcsel_is_late(const struct srcsel_policy *policy,
                                   const struct srcsel_flow *flow) {
  return (flow->operation == SRCSEL_DATAGRAM || SRCSEL_UNMARKABLE(flow)) &&
         ((flow->mark ^ policy->mark) & policy->mark_mask) != 0;
}

/* Whether the rule marks the flow's socket. */
SRCSEL_INLINE __u32 srcsel_may_mark(const struct srcsel_header *head,
                                    const struct srcsel_policy *policy,
                                    const struct srcsel_flow *flow) {
  if (!(policy->action & SRCSEL_DO_MARK) || SRCSEL_UNMARKABLE(flow)) return 0;
  if (policy->action & SRCSEL_LED_MARK && !srcsel_has_source(policy, flow->family & 1)) return 0;
  return flow->netns == head->netns || !(policy->action & SRCSEL_HOME_MARK);
}

/* Whether mark bits that the rule claims are already in use, by somebody other than us. */
SRCSEL_INLINE __u32 srcsel_app_marked(const struct srcsel_policy *policy, __u32 mark) {
  const __u32 claimed =
      policy->action & (SRCSEL_DO_MARK | SRCSEL_DO_TABLES) ? policy->mark_mask : 0xffffffff;
  const __u32 ours = policy->action & SRCSEL_DO_MARK ? policy->mark : 0;

  return (mark & claimed) != 0 && (mark & claimed) != ours;
}

/* Whether the rule does anything at all. */
SRCSEL_INLINE __u32 srcsel_acts(const struct srcsel_policy *policy) {
  return policy->action &
         (SRCSEL_DO_MARK | SRCSEL_DO_SOURCE | SRCSEL_DO_TABLES | SRCSEL_DO_POOL | SRCSEL_DO_PORTS);
}

/* Which of the flow's unknown inputs would tell whether it is one that the rule is for. */
SRCSEL_INLINE __u32 srcsel_misses(const struct srcsel_policy *policy,
                                  const struct srcsel_flow *flow) {
  return flow->unknown & ((policy->action & SRCSEL_PLAIN_TOS ? (__u32)SRCSEL_IN_DSCP : 0) |
                          (policy->action & SRCSEL_CLASSED ? (__u32)SRCSEL_IN_CLASSID : 0));
}

/* `why`, unless the flow is, or may be, one that the rule is not for. Of a tos, the two bits that
 * are no dscp (ECN) do not count. */
SRCSEL_INLINE __u32 srcsel_unless_other(const struct srcsel_policy *policy,
                                        const struct srcsel_flow *flow, __u32 why) {
  if (srcsel_misses(policy, flow)) return SRCSEL_WHY_AMBIGUOUS;
  return policy->action & SRCSEL_PLAIN_TOS && flow->dscp & 0x3f ? (__u32)SRCSEL_WHY_APP_TOS : why;
}

SRCSEL_INLINE __u32 srcsel_find_rule(srcsel_image image, const struct srcsel_header *head,
                                     const struct srcsel_flow *flow,
                                     struct srcsel_decision *decision,
                                     const struct srcsel_policy **found) {
  const struct srcsel_policy *policy;
  __u32 why = srcsel_exempt_address(flow);

  *found = 0;
  if (why != SRCSEL_WHY_COUNT) return why;
  decision->policy = srcsel_classify(image, head, flow, head->dimensions[flow->family & 1].count);
  if (decision->policy == SRCSEL_NONE) return SRCSEL_WHY_NO_RULE;
  policy = srcsel_policy_at(image, head, decision->policy);
  if (!policy) return SRCSEL_WHY_NO_RULE;
  *found = policy;
  if (!srcsel_acts(policy)) return srcsel_unless_other(policy, flow, SRCSEL_WHY_KERNEL);
  if (flow->facts & SRCSEL_FACT_OLD) return SRCSEL_WHY_OLD;
  if (flow->oif) return SRCSEL_WHY_APP_DEVICE;
  if (flow->facts & SRCSEL_FACT_SOURCE) return SRCSEL_WHY_APP_SOURCE;
  if (srcsel_app_marked(policy, flow->mark) &&
      srcsel_app_marked(policy, srcsel_app_mark(image, head, flow)))
    return SRCSEL_WHY_APP_MARK;
  return SRCSEL_WHY_COUNT;
}

/* The rule that holds; NULL if it is not to be followed, wherever the flow goes. Nothing here asks
 * for the flow's namespace. */
SRCSEL_INLINE const struct srcsel_policy *srcsel_choose_rule(srcsel_image image,
                                                             const struct srcsel_header *head,
                                                             const struct srcsel_flow *flow,
                                                             struct srcsel_decision *decision) {
  const struct srcsel_policy *found;

  decision->reason = srcsel_find_rule(image, head, flow, decision, &found);
  return decision->reason == SRCSEL_WHY_COUNT ? found : 0;
}

/* Whether the flow's namespace matters to what becomes of it by this rule. A hook has to ask for
 * it, which is a call of the kernel. */
SRCSEL_INLINE __u32 srcsel_asks_netns(const struct srcsel_header *head,
                                      const struct srcsel_policy *policy,
                                      const struct srcsel_flow *flow) {
  const __u32 named = policy->action & (SRCSEL_DO_SOURCE | SRCSEL_DO_POOL);
  const __u32 home =
      policy->action & (SRCSEL_DO_TABLES | SRCSEL_DO_PORTS | SRCSEL_HOME_ONLY | SRCSEL_HOME_MARK);

  return home || (!named && srcsel_is_late(policy, flow)) || srcsel_may_be_local(head, flow);
}

/* SRCSEL_WHY_COUNT, unless the flow stays on this host, or is not one that the rule is for. */
SRCSEL_INLINE __u32 srcsel_unless_local(srcsel_image image, const struct srcsel_header *head,
                                        const struct srcsel_policy *policy,
                                        const struct srcsel_flow *flow) {
  __u32 why = SRCSEL_WHY_COUNT;

  if (flow->netns == head->netns) why = srcsel_exempt_local(image, head, flow);
  return why == SRCSEL_WHY_COUNT ? srcsel_unless_other(policy, flow, why) : why;
}

/* A source that the policy names, by itself or out of a pool. POOL without an address leaves the
 * choice to the kernel. */
SRCSEL_INLINE __u32 srcsel_named_source(srcsel_image image, const struct srcsel_header *head,
                                        const struct srcsel_policy *policy,
                                        const struct srcsel_flow *flow,
                                        struct srcsel_decision *decision) {
  const __u32 family = flow->family & 1;
  const struct srcsel_slot *slot;

  if (policy->action & SRCSEL_DO_POOL) {
    slot = srcsel_slot_of(image, head, policy, flow, decision->policy);
    if (!slot) return SRCSEL_WHY_NO_MEMBER;
    srcsel_copy_address(decision->source, slot->source);
    return SRCSEL_WHY_POOL;
  }
  if (!policy->has_source[family]) return SRCSEL_WHY_FAMILY;
  srcsel_copy_address(decision->source, policy->source[family]);
  return SRCSEL_WHY_SOURCE;
}

/*
 * The source that the rule asks for. A datagram whose socket does not bear the rule's mark yet
 * leaves before the mark acts: it gets the source that goes with it. So does what cannot be marked.
 */
SRCSEL_INLINE __u32 srcsel_wanted_source(srcsel_image image, const struct srcsel_header *head,
                                         const struct srcsel_policy *policy,
                                         const struct srcsel_flow *flow,
                                         struct srcsel_decision *decision) {
  const __u32 named = policy->action & (SRCSEL_DO_SOURCE | SRCSEL_DO_POOL);
  const __u32 tables = policy->action & (SRCSEL_DO_TABLES | SRCSEL_DO_PORTS);

  if (!named && !tables && !srcsel_is_late(policy, flow)) return SRCSEL_WHY_MARK;
  if (flow->netns != head->netns && (!named || policy->action & SRCSEL_HOME_ONLY))
    return SRCSEL_WHY_FOREIGN;
  if (flow->operation == SRCSEL_CONNECT && flow->facts & SRCSEL_FACT_PORT)
    return SRCSEL_WHY_APP_PORT;
  if (!named) return SRCSEL_WHY_TABLE;
  return srcsel_named_source(image, head, policy, flow, decision);
}

SRCSEL_INLINE void srcsel_follow_rule(srcsel_image image, const struct srcsel_header *head,
                                      const struct srcsel_policy *policy,
                                      const struct srcsel_flow *flow,
                                      struct srcsel_decision *decision) {
  decision->mark = policy->mark;
  decision->mark_mask = policy->mark_mask;
  decision->port_first = policy->port_first;
  decision->port_last = policy->port_last;
  if (srcsel_may_mark(head, policy, flow)) decision->apply |= SRCSEL_APPLY_MARK;
  if (policy->action & SRCSEL_DO_PORTS) decision->apply |= SRCSEL_APPLY_PORTS;
  if (policy->action & SRCSEL_OR_REJECT) decision->apply |= SRCSEL_APPLY_REJECT;
  decision->reason = srcsel_wanted_source(image, head, policy, flow, decision);
}

/* Which ip rule to begin with: none of those that only tell what is local if nothing is. */
SRCSEL_INLINE __u32 srcsel_first_rule(const struct srcsel_header *head,
                                      const struct srcsel_flow *flow) {
  if (SRCSEL_BOUND_FLOWS && flow->oif) return 0;
  return srcsel_may_be_local(head, flow) ? 0 : head->beyond_local[flow->family & 1];
}

/* The source the kernel would choose for the flow if its mark were what the decision makes it. Of a
 * route that is for certain sources none is taken: bound to it, the flow may have no such route. */
SRCSEL_INLINE __u32 srcsel_source_of_tables(srcsel_image image, const struct srcsel_header *head,
                                            const struct srcsel_flow *flow,
                                            struct srcsel_decision *decision) {
  struct srcsel_rule_walk walk;
  const struct srcsel_route *route;
  __u32 sourced;

  walk.image = image;
  walk.head = head;
  walk.flow = flow;
  walk.mark = (flow->mark & ~decision->mark_mask) | decision->mark;
  srcsel_walk_from(&walk, srcsel_first_rule(head, flow));
  decision->rule = walk.pref;
  if (walk.verdict == SRCSEL_UNKNOWABLE) return SRCSEL_WHY_AMBIGUOUS;
  if (walk.verdict != SRCSEL_ROUTED) return SRCSEL_WHY_NO_ROUTE;
  decision->table = walk.table;
  route = srcsel_route_at(image, head, walk.route);
  if (!route) return SRCSEL_WHY_NO_ROUTE;
  decision->oif = route->oif;
  if (route->type != RTN_UNICAST) return SRCSEL_WHY_LOCAL;
  if (route->flags & (SRCSEL_ROUTE_AMBIGUOUS | SRCSEL_ROUTE_UNBOUND)) return SRCSEL_WHY_AMBIGUOUS;
  if (route->flags & SRCSEL_ROUTE_SOURCE) {
    srcsel_copy_address(decision->source, route->source);
    return SRCSEL_WHY_TABLE;
  }
  if (flow->family == SRCSEL_V4) return SRCSEL_WHY_NO_SOURCE;
  sourced = srcsel_source6(image, head, &flow->dst, route->oif, 0, decision->source);
  if (sourced == SRCSEL_SOURCE_UNKNOWN) return SRCSEL_WHY_AMBIGUOUS;
  return sourced == SRCSEL_SOURCED ? SRCSEL_WHY_TABLE : SRCSEL_WHY_NO_SOURCE;
}

SRCSEL_FN int srcsel_ask_tables(srcsel_image image, const struct srcsel_header *head,
                                const struct srcsel_flow *flow, struct srcsel_decision *decision) {
  decision->reason = srcsel_source_of_tables(image, head, flow, decision);
  return 0;
}

/* Bit `why` of a set of reasons. */
#define SRCSEL_WHY(name) (1ull << SRCSEL_WHY_##name)

/* What of the rule can be applied, now that all is known. A datagram's hook marks for the next one,
 * which may go elsewhere: not where netfilter marks that too, and the source that goes with it is
 * known. */
SRCSEL_INLINE void srcsel_conclude(const struct srcsel_policy *policy,
                                   const struct srcsel_flow *flow,
                                   struct srcsel_decision *decision) {
  const __u64 sourced = SRCSEL_WHY(SOURCE) | SRCSEL_WHY(TABLE) | SRCSEL_WHY(POOL);
  const __u64 failures = SRCSEL_WHY(NO_ROUTE) | SRCSEL_WHY(NO_SOURCE) | SRCSEL_WHY(AMBIGUOUS) |
                         SRCSEL_WHY(FAMILY) | SRCSEL_WHY(NO_MEMBER);
  const __u64 why = 1ull << (decision->reason & 63);

  if (why & sourced) {
    if (!(decision->apply & SRCSEL_APPLY_PORTS)) decision->apply |= SRCSEL_APPLY_SOURCE;
    if (policy->action & SRCSEL_MARKED_LATER && srcsel_is_late(policy, flow))
      decision->apply &= ~(__u32)SRCSEL_APPLY_MARK;
    return;
  }
  decision->apply &= ~(__u32)SRCSEL_APPLY_PORTS;
  if (decision->apply & SRCSEL_APPLY_REJECT && why & failures)
    decision->error = why & SRCSEL_WHY(NO_ROUTE) ? ENETUNREACH : EADDRNOTAVAIL;
  else if (decision->apply & SRCSEL_APPLY_MARK)
    decision->reason = SRCSEL_WHY_MARK;
}

/* A source that nobody can replace has been chosen with the mark that is there, and leaves by its
 * uplink only with that. */
SRCSEL_INLINE void srcsel_keep_mark(const struct srcsel_flow *flow,
                                    struct srcsel_decision *decision) {
  if (!(decision->apply & SRCSEL_APPLY_MARK)) return;
  if (!((flow->mark ^ decision->mark) & decision->mark_mask)) return;
  decision->apply &= ~(__u32)SRCSEL_APPLY_MARK;
  decision->reason = SRCSEL_WHY_APP_PORT;
  if (decision->apply & SRCSEL_APPLY_REJECT) decision->error = EADDRNOTAVAIL;
}

/* What an earlier decision left on the socket, and this one does not want, is taken back; unless
 * the socket is connected: its source stays, and with it the mark. */
SRCSEL_INLINE void srcsel_take_back(srcsel_image image, const struct srcsel_header *head,
                                    const struct srcsel_flow *flow,
                                    struct srcsel_decision *decision) {
  /* A port keeps a source that is bound, not that of a datagram. */
  const __u32 kept = flow->operation == SRCSEL_CONNECT ? SRCSEL_FACT_PORT : 0;
  const __u32 left = flow->facts & (SRCSEL_FACT_LEFT | SRCSEL_FACT_SOURCE | kept);

  if (left & SRCSEL_FACT_LEFT && left != SRCSEL_FACT_LEFT) {
    srcsel_keep_mark(flow, decision);
    return;
  }
  if (!(decision->apply & SRCSEL_APPLY_MARK) && !SRCSEL_UNMARKABLE(flow)) {
    const __u32 own = srcsel_find_own_mark(image, head, flow);

    if (own) {
      decision->apply |= SRCSEL_APPLY_MARK;
      decision->mark = 0;
      decision->mark_mask = own;
    }
  }
  if (left != SRCSEL_FACT_LEFT) return;
  if (decision->apply & (SRCSEL_APPLY_SOURCE | SRCSEL_APPLY_PORTS)) return;
  decision->apply |= SRCSEL_APPLY_SOURCE;
  __builtin_memset(decision->source, 0, sizeof(decision->source));
}

/* At socket creation: the mark of the rule that holds whatever the destination will be. */
SRCSEL_FN int srcsel_decide_creation(srcsel_image image, const struct srcsel_header *head,
                                     const struct srcsel_flow *flow,
                                     struct srcsel_decision *decision) {
  const struct srcsel_policy *policy;
  const __u32 early = head->dimensions[flow->family & 1].early;

  decision->reason = SRCSEL_WHY_NO_RULE;
  decision->policy = srcsel_classify(image, head, flow, early);
  if (decision->policy == SRCSEL_NONE) return 0;
  policy = srcsel_policy_at(image, head, decision->policy);
  if (!policy || policy->action & (SRCSEL_AIMED | SRCSEL_PLAIN_TOS)) return 0;
  if (srcsel_misses(policy, flow) || !srcsel_may_mark(head, policy, flow)) return 0;
  decision->reason = SRCSEL_WHY_APP_DEVICE;
  if (flow->oif) return 0;
  decision->reason = SRCSEL_WHY_APP_MARK;
  if (srcsel_app_marked(policy, flow->mark)) return 0;
  decision->reason = SRCSEL_WHY_MARK;
  decision->apply = SRCSEL_APPLY_MARK;
  decision->mark = policy->mark;
  decision->mark_mask = policy->mark_mask;
  return 0;
}

SRCSEL_INLINE void srcsel_undecided(const struct srcsel_header *head,
                                    struct srcsel_decision *decision) {
  __builtin_memset(decision, 0, sizeof(*decision));
  decision->policy = SRCSEL_NONE;
  decision->rule = SRCSEL_NONE;
  decision->reason = SRCSEL_WHY_NO_IMAGE;
  if (head) decision->generation = head->generation;
}

/* What becomes of the flow by the rule that srcsel_choose_rule() found, by none if that is NULL. */
SRCSEL_INLINE void srcsel_act_by(srcsel_image image, const struct srcsel_header *head,
                                 const struct srcsel_policy *policy, const struct srcsel_flow *flow,
                                 struct srcsel_decision *decision) {
  if (policy) decision->reason = srcsel_unless_local(image, head, policy, flow);
  if (decision->reason == SRCSEL_WHY_COUNT) {
    srcsel_follow_rule(image, head, policy, flow, decision);
    if (decision->reason == SRCSEL_WHY_TABLE) srcsel_ask_tables(image, head, flow, decision);
    srcsel_conclude(policy, flow, decision);
  }
  srcsel_take_back(image, head, flow, decision);
}

/* `head` is srcsel_open(image); NULL is the decision "no-image". */
SRCSEL_INLINE void srcsel_decide(srcsel_image image, const struct srcsel_header *head,
                                 const struct srcsel_flow *flow, struct srcsel_decision *decision) {
  const struct srcsel_policy *policy;

  srcsel_undecided(head, decision);
  if (!head) return;
  if (flow->operation == SRCSEL_CREATE) {
    srcsel_decide_creation(image, head, flow, decision);
    return;
  }
  policy = srcsel_choose_rule(image, head, flow, decision);
  srcsel_act_by(image, head, policy, flow, decision);
}

#endif /* SRCSEL_ENGINE_DECIDE_H */
