/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * classify.h: which rule of the policy holds for a flow. The first match wins.
 *
 * Cost: a trie lookup for each property that any rule selects by, then one step for every word of
 * 64 rules in which the vectors may meet: nearly always one. It grows neither with the rules nor
 * with their prefixes.
 */
#ifndef SRCSEL_ENGINE_CLASSIFY_H
#define SRCSEL_ENGINE_CLASSIFY_H

#include "engine/trie.h"

struct srcsel_numbering {
  srcsel_image image;
  const struct srcsel_header *head;
  const struct srcsel_flow *flow;
  __u32 number[SRCSEL_PROPERTIES]; /* of the vector, by dimension */
};

SRCSEL_INLINE void srcsel_property_key(const struct srcsel_flow *flow, __u32 property,
                                       struct srcsel_key *key) {
  const __u64 *comm = (const __u64 *)(const void *)flow->comm;

  key->hi = flow->dst.hi;
  key->lo = flow->dst.lo;
  if (property == SRCSEL_BY_DST) return;
  key->lo = 0;
  if (property == SRCSEL_BY_PROTO) key->hi = (__u64)flow->proto << 56;
  if (property == SRCSEL_BY_DPORT) key->hi = (__u64)flow->dport << 48;
  if (property == SRCSEL_BY_UID) key->hi = (__u64)flow->uid << 32;
  if (property == SRCSEL_BY_CGROUP) key->hi = flow->cgroup;
  if (property != SRCSEL_BY_COMM) return;
  key->hi = comm[0];
  key->lo = comm[1];
}

static long srcsel_number_step(__u32 index, void *context) {
  struct srcsel_numbering *n = (struct srcsel_numbering *)context;
  const struct srcsel_dimension *dimension;
  struct srcsel_key key;

  if (index >= SRCSEL_PROPERTIES) return 1;
  dimension = &n->head->dimensions[n->flow->family & 1].list[index];
  srcsel_property_key(n->flow, dimension->property, &key);
  n->number[index] = srcsel_find(n->image, n->head, dimension->table, &key);
  return 0;
}

struct srcsel_intersection {
  const struct srcsel_vector *vector[SRCSEL_PROPERTIES];
  __u64 words; /* those that may have a rule in common, not yet looked at */
  __u32 found;
};

static long srcsel_intersect_step(__u32 index, void *context) {
  struct srcsel_intersection *s = (struct srcsel_intersection *)context;
  /* Masked for the verifier of 6.1: a summary has no bit above SRCSEL_VECTOR_WORDS. */
  const __u32 w = srcsel_popcount((s->words & -s->words) - 1) & SRCSEL_VECTOR_WORDS;
  __u64 rules = ~0ull;

  (void)index;
  if (!s->words) return 1;
  s->words &= s->words - 1;
  SRCSEL_UNROLL
  for (__u32 i = 0; i < SRCSEL_PROPERTIES; ++i) rules &= s->vector[i]->word[w];
  if (!rules) return 0;
  s->found = w * 64 + srcsel_popcount((rules & -rules) - 1);
  return 1;
}

SRCSEL_INLINE const struct srcsel_vector *srcsel_vector_at(srcsel_image image,
                                                           const struct srcsel_header *head,
                                                           __u32 number) {
  return (const struct srcsel_vector *)srcsel_object(image, head->vectors.page, number,
                                                     sizeof(struct srcsel_vector));
}

/* The lowest rule that all `count` vectors, one at least, accept. */
SRCSEL_FN __u32 srcsel_intersect(srcsel_image image, const struct srcsel_header *head,
                                 const __u32 *number, __u32 count) {
  struct srcsel_intersection s;

  s.found = SRCSEL_NONE;
  s.vector[0] = srcsel_vector_at(image, head, number[0]);
  if (!s.vector[0]) return SRCSEL_NONE;
  SRCSEL_UNROLL
  for (__u32 i = 1; i < SRCSEL_PROPERTIES; ++i) {
    s.vector[i] = s.vector[0];
    if (i >= count) continue;
    s.vector[i] = srcsel_vector_at(image, head, number[i]);
    if (!s.vector[i]) return SRCSEL_NONE;
  }
  s.words = ~0ull;
  SRCSEL_UNROLL
  for (__u32 i = 0; i < SRCSEL_PROPERTIES; ++i) s.words &= s.vector[i]->word[SRCSEL_VECTOR_WORDS];
  srcsel_loop(SRCSEL_VECTOR_WORDS, srcsel_intersect_step, &s);
  return s.found;
}

/* Index of the rule, or SRCSEL_NONE if none holds: the kernel chooses. */
SRCSEL_FN __u32 srcsel_classify(srcsel_image image, const struct srcsel_header *head,
                                const struct srcsel_flow *flow) {
  const __u32 dimensions = head->dimensions[flow->family & 1].count;
  struct srcsel_numbering n;

  if (!dimensions) return head->policy.count ? 0 : SRCSEL_NONE;
  n.image = image;
  n.head = head;
  n.flow = flow;
  __builtin_memset(n.number, 0, sizeof(n.number));
  srcsel_loop(dimensions, srcsel_number_step, &n);
  return srcsel_intersect(image, head, n.number, dimensions);
}

#endif /* SRCSEL_ENGINE_CLASSIFY_H */
