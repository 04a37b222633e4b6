/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pool.h: which of a pool's addresses a flow gets. Cost: one page lookup.
 */
#ifndef SRCSEL_ENGINE_POOL_H
#define SRCSEL_ENGINE_POOL_H

#include "engine/key.h"

/* All bits of an address count, so that neighbouring destinations spread. */
SRCSEL_INLINE __u32 srcsel_hash_address(const struct srcsel_key *key) {
  __u64 h = (key->hi ^ (key->lo * 0x9e3779b97f4a7c15ull)) * 0xff51afd7ed558ccdull;

  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ull;
  return (__u32)(h >> 32);
}

/* The flow's slot in the pool of policy rule `index`; NULL if none of the addresses is there. */
SRCSEL_INLINE const struct srcsel_slot *srcsel_slot_of(srcsel_image image,
                                                       const struct srcsel_header *head,
                                                       const struct srcsel_policy *policy,
                                                       const struct srcsel_flow *flow,
                                                       __u32 index) {
  const __u32 family = flow->family & 1;
  const __u32 slots = policy->slots[family];
  __u32 place = flow->chance;

  if (!slots) return 0;
  if (policy->pick == SRCSEL_PICK_HASH) place = srcsel_hash_address(&flow->dst);
  if (policy->pick == SRCSEL_PICK_TURN) place = srcsel_turn(flow, index);
  return (const struct srcsel_slot *)srcsel_object(
      image, head->slots.page, policy->pool[family] + place % slots, sizeof(struct srcsel_slot));
}

#endif /* SRCSEL_ENGINE_POOL_H */
