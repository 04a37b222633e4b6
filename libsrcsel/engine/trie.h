/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trie.h: longest-prefix match in a table of the image (layout: abi.h, struct srcsel_node).
 *
 * Cost: one page lookup for the table, one for a fan, one a stride, at most one more for the leaf.
 * A table with only a default route costs nothing but itself and the route. In user space a
 * shortcut may take the place of the fan and two strides.
 */
#ifndef SRCSEL_ENGINE_TRIE_H
#define SRCSEL_ENGINE_TRIE_H

#include "engine/key.h"

/* So many strides, all that IPv4 has after a fan, take no call. More of them, for the verifier as
 * many cases each time, would have it take a third longer. */
#define SRCSEL_SHALLOW 4u

struct srcsel_descent {
  srcsel_image image;
  struct srcsel_key rest; /* bits of the key not yet consumed */
  __u32 nodes, leaves;    /* first pages */
  __u32 slot;
  __u32 page; /* the one that is looked at */
};

SRCSEL_INLINE long srcsel_descend(__u32 stride, void *context) {
  struct srcsel_descent *d = (struct srcsel_descent *)context;
  const struct srcsel_node *node;
  const __u16 *leaf;
  __u64 bit;
  __u32 run, within; /* the node itself is the leaf */

  (void)stride;
  if (d->slot & SRCSEL_LEAF) return 1;
  node = (const struct srcsel_node *)srcsel_object_by(&d->page, d->image, d->nodes, d->slot,
                                                      sizeof(*node));
  d->slot = SRCSEL_LEAF;
  if (!node) return 1;
  bit = 1ull << srcsel_take(&d->rest, SRCSEL_STRIDE);
  if (node->children & bit) {
    d->slot = node->child + srcsel_popcount(node->children & (bit - 1));
    return 0;
  }
  run = srcsel_popcount(node->starts & (bit | (bit - 1))) - 1;
  if (!SRCSEL_CHOOSES && node->leaf == SRCSEL_NONE) {
    d->slot |= node->runs[run & (SRCSEL_NODE_RUNS - 1)];
    return 1;
  }
  within = SRCSEL_CHOOSES && node->leaf == SRCSEL_NONE;
  leaf = (const __u16 *)srcsel_object_by(&d->page, d->image, d->leaves,
                                         (node->leaf + run) & (within - 1), sizeof(*leaf));
  leaf = (const __u16 *)srcsel_choose(within, &node->runs[run & (SRCSEL_NODE_RUNS - 1)], leaf);
  if (leaf) d->slot |= *leaf;
  return 1;
}

/* The slot where the descent begins. */
SRCSEL_INLINE void srcsel_enter(struct srcsel_descent *d, const struct srcsel_header *head,
                                const struct srcsel_trie *trie) {
  const __u32 *slot;

  d->slot = trie->root;
  if (trie->fan == SRCSEL_NONE) return;
  d->slot = srcsel_jump(d->image, trie->fan, &d->rest);
  if (d->slot) {
    srcsel_take(&d->rest, SRCSEL_JUMP_BITS);
    return;
  }
  d->slot = SRCSEL_LEAF;
  slot = (const __u32 *)srcsel_object_by(&d->page, d->image, head->fans.page,
                                         trie->fan + srcsel_take(&d->rest, SRCSEL_FAN_BITS),
                                         sizeof(*slot));
  if (slot) d->slot = *slot;
}

/* The key comes by its words: what calls this has no room for it on the stack. */
SRCSEL_FN __u32 srcsel_find_words(srcsel_image image, const struct srcsel_header *head,
                                  const struct srcsel_trie *trie, __u64 hi, __u64 lo) {
  struct srcsel_descent d;

  d.image = image;
  d.rest.hi = hi;
  d.rest.lo = lo;
  d.nodes = head->nodes.page;
  d.leaves = head->leaves.page;
  srcsel_enter(&d, head, trie);
  srcsel_keep(d);
  if (!(d.slot & SRCSEL_LEAF)) srcsel_loop_few(SRCSEL_SHALLOW, srcsel_descend, &d);
  if (!(d.slot & SRCSEL_LEAF)) srcsel_loop(SRCSEL_MAX_DEPTH - SRCSEL_SHALLOW, srcsel_descend, &d);
  return d.slot & SRCSEL_LEAF ? d.slot & ~SRCSEL_LEAF : 0;
}

/* What the trie has for `key`: the number at its leaf. */
SRCSEL_INLINE __u32 srcsel_find(srcsel_image image, const struct srcsel_header *head,
                                const struct srcsel_trie *trie, const struct srcsel_key *key) {
  return srcsel_find_words(image, head, trie, key->hi, key->lo);
}

/* Whether there is nothing but one leaf, for every key. */
SRCSEL_INLINE __u32 srcsel_is_default(const struct srcsel_trie *trie) {
  return trie->fan == SRCSEL_NONE && trie->root & SRCSEL_LEAF;
}

SRCSEL_INLINE const struct srcsel_table *srcsel_table_at(srcsel_image image,
                                                         const struct srcsel_header *head,
                                                         __u32 index) {
  return (const struct srcsel_table *)srcsel_object(image, head->tables.page, index,
                                                    sizeof(struct srcsel_table));
}

/* Index of the route for `key` in table number `index` of the image; 0 if there is none, or no such
 * table. */
SRCSEL_INLINE __u32 srcsel_find_route(srcsel_image image, const struct srcsel_header *head,
                                      __u32 index, const struct srcsel_key *key) {
  const struct srcsel_table *table = srcsel_table_at(image, head, index);

  return table ? srcsel_find(image, head, &table->trie, key) : 0;
}

SRCSEL_INLINE const struct srcsel_route *srcsel_route_at(srcsel_image image,
                                                         const struct srcsel_header *head,
                                                         __u32 index) {
  return (const struct srcsel_route *)srcsel_object(image, head->routes.page, index,
                                                    sizeof(struct srcsel_route));
}

#endif /* SRCSEL_ENGINE_TRIE_H */
