/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * exempt.h: destinations that are never touched, whatever the policy says: what stays on this host
 * or on this link has the source the kernel gives it.
 */
#ifndef SRCSEL_ENGINE_EXEMPT_H
#define SRCSEL_ENGINE_EXEMPT_H

#include <linux/rtnetlink.h>

#include "engine/trie.h"

/* The reason if the address alone says so, SRCSEL_WHY_COUNT if it does not. Needs no tables. */
SRCSEL_INLINE __u32 srcsel_exempt_address(const struct srcsel_flow *flow) {
  const __u64 hi = flow->dst.hi;

  if (flow->family == SRCSEL_V4) {
    if (hi >> 56 == 0) return SRCSEL_WHY_UNSPECIFIED;
    if (hi >> 56 == 127) return SRCSEL_WHY_LOOPBACK;
    if (hi >> 48 == 0xa9fe) return SRCSEL_WHY_LINK_LOCAL;
    if (hi >> 60 == 0xe) return SRCSEL_WHY_MULTICAST;
    if (hi >> 32 == 0xffffffff) return SRCSEL_WHY_BROADCAST;
    return SRCSEL_WHY_COUNT;
  }
  if (hi == 0 && flow->dst.lo == 0) return SRCSEL_WHY_UNSPECIFIED;
  if (hi == 0 && flow->dst.lo == 1) return SRCSEL_WHY_LOOPBACK;
  if (hi >> 54 == 0xfe80 >> 6) return SRCSEL_WHY_LINK_LOCAL;
  if (hi >> 56 == 0xff) return SRCSEL_WHY_MULTICAST;
  return SRCSEL_WHY_COUNT;
}

/* Whether the local table may have a route for the flow: it has for something near its destination.
 */
SRCSEL_INLINE __u32 srcsel_may_be_local(const struct srcsel_header *head,
                                        const struct srcsel_flow *flow) {
  const __u32 place = (__u32)(flow->dst.hi >> (64 - SRCSEL_FAN_BITS));

  return head->local_places[flow->family & 1].word[place / 64] >> place % 64 & 1;
}

/* The same from the local table, which knows every own address, AnyIP prefix and broadcast. */
SRCSEL_INLINE __u32 srcsel_exempt_local(srcsel_image image, const struct srcsel_header *head,
                                        const struct srcsel_flow *flow) {
  const struct srcsel_route *route;
  __u32 index;

  if (!srcsel_may_be_local(head, flow)) return SRCSEL_WHY_COUNT;
  index = srcsel_find_route(image, head, head->local[flow->family & 1], &flow->dst);
  route = index ? srcsel_route_at(image, head, index) : 0;
  if (!route) return SRCSEL_WHY_COUNT;
  if (route->type == RTN_LOCAL || route->type == RTN_ANYCAST) return SRCSEL_WHY_LOCAL;
  if (route->type == RTN_BROADCAST) return SRCSEL_WHY_BROADCAST;
  if (route->type == RTN_MULTICAST) return SRCSEL_WHY_MULTICAST;
  return SRCSEL_WHY_COUNT;
}

#endif /* SRCSEL_ENGINE_EXEMPT_H */
