/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * table.h: the lookup of one routing table, as fib_table_lookup() and fib6_table_lookup() do it:
 * longest prefix first, and on from there while a route's selectors do not hold.
 *
 * A flow bound to a device has a table of its own, with what leaves by that device. Hooks leave
 * such flows alone, so that images made for them have none, as they do those bound to an address.
 *
 * Cost: one descent of the trie; nearly always the first route holds.
 */
#ifndef SRCSEL_ENGINE_TABLE_H
#define SRCSEL_ENGINE_TABLE_H

#include <linux/rtnetlink.h>

#include "engine/trie.h"

struct srcsel_search {
  srcsel_image image;
  const struct srcsel_header *head;
  const struct srcsel_flow *flow;
  __u32 index; /* of the route looked at, in the end of the one found; 0: none, SRCSEL_NONE: the
                  caller does not know enough */
};

/* Whether the route's selectors hold. */
SRCSEL_INLINE __u32 srcsel_route_selects(const struct srcsel_search *s,
                                         const struct srcsel_route *route) {
  const struct srcsel_match *from;

  if (route->dscp && (route->dscp ^ s->flow->dscp) & 7) return 0;
  if (SRCSEL_BOUND_FLOWS && route->flags & SRCSEL_ROUTE_STRICT &&
      s->flow->facts & SRCSEL_FACT_LOOSE)
    return 0;
  if (route->from == SRCSEL_NONE) return 1;
  if (!SRCSEL_BOUND_FLOWS) return !!(route->flags & SRCSEL_ROUTE_UNBOUND);
  from = (const struct srcsel_match *)srcsel_object(s->image, s->head->froms.page, route->from,
                                                    sizeof(*from));
  return from && !srcsel_outside(&s->flow->src, from);
}

/* 1: the route, which is that at s->index, is the answer; 0: the next one has to be looked at. */
SRCSEL_INLINE long srcsel_judge_route(struct srcsel_search *s, const struct srcsel_route *route) {
  if (!route) return 1;
  if (route->dscp && s->flow->unknown & SRCSEL_IN_DSCP && !(route->flags & SRCSEL_ROUTE_SAME)) {
    s->index = SRCSEL_NONE;
    return 1;
  }
  if (srcsel_route_selects(s, route)) return 1;
  s->index = route->next;
  return 0;
}

static long srcsel_search_step(__u32 step, void *context) {
  struct srcsel_search *s = (struct srcsel_search *)context;

  (void)step;
  return srcsel_judge_route(s, srcsel_route_at(s->image, s->head, s->index));
}

/* What comes after a route that does not hold, from the one at `index` on. Apart, since it is rare
 * and what calls this has no room for it on the stack. */
SRCSEL_FN __u32 srcsel_search_on(srcsel_image image, const struct srcsel_header *head,
                                 const struct srcsel_flow *flow, __u32 index) {
  struct srcsel_search s;

  s.image = image;
  s.head = head;
  s.flow = flow;
  s.index = index;
  srcsel_loop(SRCSEL_IN_ONE_PIECE ? head->routes.count : SRCSEL_MAX_CHAIN, srcsel_search_step, &s);
  return s.index;
}

/* The flow's route in the table, or NULL, and its index. */
SRCSEL_INLINE const struct srcsel_route *srcsel_search_in(srcsel_image image,
                                                          const struct srcsel_header *head,
                                                          const struct srcsel_table *table,
                                                          const struct srcsel_flow *flow,
                                                          __u32 *index) {
  const struct srcsel_trie *trie = &table->trie;
  const struct srcsel_route *route;
  struct srcsel_search s;

  s.image = image;
  s.head = head;
  s.flow = flow;
  s.index = srcsel_is_default(trie) ? trie->root & ~SRCSEL_LEAF
                                    : srcsel_find(image, head, trie, &flow->dst);
  route = srcsel_route_at(image, head, s.index);
  if (!srcsel_judge_route(&s, route)) {
    s.index = srcsel_search_on(image, head, flow, s.index);
    route = srcsel_route_at(image, head, s.index);
  }
  *index = s.index;
  return route;
}

/* The index in table number `table`. */
SRCSEL_INLINE __u32 srcsel_search_one(srcsel_image image, const struct srcsel_header *head,
                                      __u32 table, const struct srcsel_flow *flow) {
  const struct srcsel_table *t = srcsel_table_at(image, head, table);
  __u32 index = 0;

  if (t) srcsel_search_in(image, head, t, flow, &index);
  return index;
}

/* Number of the table for flows of this device; SRCSEL_NONE if the image has none. */
SRCSEL_INLINE __u32 srcsel_device_table(srcsel_image image, const struct srcsel_header *head,
                                        __u32 table, __u32 oif) {
  const struct srcsel_table *t = srcsel_table_at(image, head, table);
  __u32 low = table + 1, high, others;

  if (!t || !t->devices) return SRCSEL_NONE;
  others = table + t->devices;
  for (high = others; low < high;) {
    const __u32 middle = low + (high - low) / 2;
    t = srcsel_table_at(image, head, middle);
    if (!t) return SRCSEL_NONE;
    if (t->oif == oif) return middle;
    if (t->oif < oif)
      low = middle + 1;
    else
      high = middle;
  }
  return others;
}

/* For a flow bound to a device, or in IPv6 one that only prefers it. */
SRCSEL_INLINE __u32 srcsel_search_device(srcsel_image image, const struct srcsel_header *head,
                                         __u32 table, const struct srcsel_flow *flow) {
  const __u32 own = srcsel_device_table(image, head, table, flow->oif);
  const struct srcsel_route *by_device, *any;
  __u32 found, best;

  if (own == SRCSEL_NONE) return SRCSEL_NONE;
  found = srcsel_search_one(image, head, own, flow);
  if (!(flow->facts & SRCSEL_FACT_LOOSE)) return found;
  best = srcsel_search_one(image, head, table, flow);
  by_device = srcsel_route_at(image, head, found);
  any = srcsel_route_at(image, head, best);
  if (!by_device || !any || by_device->plen != any->plen || by_device->rank != any->rank)
    return best;
  return found ? found : best;
}

/* Index of the flow's route in table number `table` of the image, 0 if there is none; SRCSEL_NONE
 * if that is not known. */
SRCSEL_INLINE __u32 srcsel_search_table(srcsel_image image, const struct srcsel_header *head,
                                        __u32 table, const struct srcsel_flow *flow) {
  if (SRCSEL_BOUND_FLOWS && flow->oif) return srcsel_search_device(image, head, table, flow);
  return srcsel_search_one(image, head, table, flow);
}

#endif /* SRCSEL_ENGINE_TABLE_H */
