/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * decide.h: from a flow to a decision. This is the whole engine; everything else applies what it
 * says.
 *
 * Contract: pure. Reads the image, writes the decision, nothing else. Whatever is unclear ends in
 * a decision with apply == 0: the socket is left as it is and the kernel chooses.
 *
 * Order: exempt addresses, then the policy, then what the application did itself, then the rule's
 * action. Cost with one policy rule: two trie-free page lookups and one lookup in the local table;
 * only SRCSEL_DO_TABLES walks ip rules.
 */
#ifndef SRCSEL_ENGINE_DECIDE_H
#define SRCSEL_ENGINE_DECIDE_H

#include "engine/classify.h"
#include "engine/exempt.h"
#include "engine/rules.h"
#include "engine/source6.h"

/* Wire addresses lie on multiples of 8 bytes everywhere in abi.h. */
SRCSEL_INLINE void srcsel_copy_address(__u8 *to, const __u8 *from) {
  __builtin_memcpy(__builtin_assume_aligned(to, 8), __builtin_assume_aligned(from, 8), 16);
}

/* SRCSEL_DO_TABLES: the source the kernel would have chosen, had the mark been there at connect. */
SRCSEL_FN __u32 srcsel_decide_tables(srcsel_image image, const struct srcsel_header *head,
                                     const struct srcsel_flow *flow,
                                     struct srcsel_decision *decision) {
  struct srcsel_rule_walk walk;
  const struct srcsel_route *route;
  __u32 sourced;

  walk.image = image;
  walk.head = head;
  walk.flow = flow;
  walk.mark = (flow->mark & ~decision->mark_mask) | decision->mark;
  srcsel_walk_rules(&walk);
  decision->rule = walk.pref;
  if (walk.verdict == SRCSEL_UNKNOWABLE) return SRCSEL_WHY_AMBIGUOUS;
  if (walk.verdict != SRCSEL_ROUTED) return SRCSEL_WHY_NO_ROUTE;
  route = srcsel_route_at(image, head, walk.route);
  if (!route) return SRCSEL_WHY_NO_ROUTE;
  decision->table = srcsel_table_of(&walk);
  decision->oif = route->oif;
  if (route->type != RTN_UNICAST) return SRCSEL_WHY_LOCAL;
  if (route->flags & SRCSEL_ROUTE_AMBIGUOUS) return SRCSEL_WHY_AMBIGUOUS;
  if (route->flags & SRCSEL_ROUTE_SOURCE) {
    srcsel_copy_address(decision->source, route->source);
  } else {
    if (flow->family == SRCSEL_V4) return SRCSEL_WHY_NO_SOURCE;
    sourced = srcsel_source6(image, head, &flow->dst, route->oif, 0, decision->source);
    if (sourced == SRCSEL_SOURCE_UNKNOWN) return SRCSEL_WHY_AMBIGUOUS;
    if (sourced != SRCSEL_SOURCED) return SRCSEL_WHY_NO_SOURCE;
  }
  decision->apply = SRCSEL_APPLY_SOURCE;
  return SRCSEL_WHY_TABLE;
}

/* The constant actions. */
SRCSEL_INLINE __u32 srcsel_decide_constant(const struct srcsel_policy *policy,
                                           const struct srcsel_flow *flow, __u32 foreign,
                                           struct srcsel_decision *decision) {
  const __u32 family = flow->family & 1;
  const __u32 marks = policy->action & SRCSEL_DO_MARK;
  __u32 why = SRCSEL_WHY_SOURCE;

  if (!(policy->action & SRCSEL_DO_SOURCE) || !policy->has_source[family])
    why = SRCSEL_WHY_FAMILY;
  else if (foreign && policy->action & SRCSEL_HOME_ONLY)
    why = SRCSEL_WHY_FOREIGN;
  else if (flow->facts & SRCSEL_FACT_PORT)
    why = SRCSEL_WHY_APP_PORT;
  if (marks) decision->apply = SRCSEL_APPLY_MARK;
  if (why != SRCSEL_WHY_SOURCE && marks) return SRCSEL_WHY_MARK;
  if (why != SRCSEL_WHY_SOURCE) return why;
  srcsel_copy_address(decision->source, policy->source[family]);
  decision->apply |= SRCSEL_APPLY_SOURCE;
  return SRCSEL_WHY_SOURCE;
}

/* Whether mark bits that the rule claims are already in use, by somebody other than us. */
SRCSEL_INLINE __u32 srcsel_app_marked(const struct srcsel_policy *policy, __u32 mark) {
  const __u32 claimed =
      policy->action & (SRCSEL_DO_MARK | SRCSEL_DO_TABLES) ? policy->mark_mask : 0xffffffff;
  const __u32 ours = policy->action & SRCSEL_DO_MARK ? policy->mark : 0;

  return (mark & claimed) != 0 && (mark & claimed) != ours;
}

SRCSEL_INLINE __u32 srcsel_decide_why(srcsel_image image, const struct srcsel_header *head,
                                      const struct srcsel_flow *flow,
                                      struct srcsel_decision *decision) {
  const __u32 foreign = flow->netns != head->netns;
  const struct srcsel_policy *policy;
  __u32 why = srcsel_exempt_address(flow);
  __u32 index;

  if (why != SRCSEL_WHY_COUNT) return why;
  index = srcsel_classify(image, head, flow);
  if (index == SRCSEL_NONE) return SRCSEL_WHY_NO_RULE;
  policy =
      (const struct srcsel_policy *)srcsel_object(image, head->policy.page, index, sizeof(*policy));
  if (!policy) return SRCSEL_WHY_NO_RULE;
  decision->policy = policy->id;
  if (flow->oif) return SRCSEL_WHY_APP_DEVICE;
  if (flow->facts & SRCSEL_FACT_SOURCE) return SRCSEL_WHY_APP_SOURCE;
  if (srcsel_app_marked(policy, flow->mark)) return SRCSEL_WHY_APP_MARK;
  if (!foreign) why = srcsel_exempt_local(image, head, flow);
  if (why != SRCSEL_WHY_COUNT) return why;
  decision->mark = policy->mark;
  decision->mark_mask = policy->mark_mask;
  if (!(policy->action & SRCSEL_DO_TABLES))
    return srcsel_decide_constant(policy, flow, foreign, decision);
  if (foreign) return SRCSEL_WHY_FOREIGN;
  if (flow->facts & SRCSEL_FACT_PORT) return SRCSEL_WHY_APP_PORT;
  return srcsel_decide_tables(image, head, flow, decision);
}

/* `head` is srcsel_open(image); NULL is the decision "no-image". */
SRCSEL_INLINE void srcsel_decide(srcsel_image image, const struct srcsel_header *head,
                                 const struct srcsel_flow *flow, struct srcsel_decision *decision) {
  __builtin_memset(decision, 0, sizeof(*decision));
  decision->policy = SRCSEL_NONE;
  decision->rule = SRCSEL_NONE;
  decision->reason = SRCSEL_WHY_NO_IMAGE;
  if (head) decision->reason = srcsel_decide_why(image, head, flow, decision);
}

#endif /* SRCSEL_ENGINE_DECIDE_H */
