/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * classify.h: which rule of the policy holds for a flow. The first match wins.
 *
 * Cost: a trie lookup for each property that any rule selects by; if there are several, also one of
 * a vector, and then one step for every word of 64 rules in which the vectors may meet: nearly
 * always one. It grows neither with the rules nor with their prefixes, but with what of them the
 * CPU's caches do not hold.
 */
#ifndef SRCSEL_ENGINE_CLASSIFY_H
#define SRCSEL_ENGINE_CLASSIFY_H

#include "engine/own_mark.h"
#include "engine/trie.h"

struct srcsel_numbering {
  srcsel_image image;
  const struct srcsel_header *head;
  const struct srcsel_flow *flow;
  __u32 number[SRCSEL_MAX_DIMENSIONS]; /* of the vector, by dimension */
};

SRCSEL_INLINE void srcsel_property_key(const struct srcsel_numbering *n, __u32 property,
                                       __u32 argument, struct srcsel_key *key) {
  const struct srcsel_flow *flow = n->flow;
  const __u64 *comm = (const __u64 *)(const void *)flow->comm;

  key->hi = flow->dst.hi;
  key->lo = flow->dst.lo;
  if (property == SRCSEL_BY_DST) return;
  key->lo = 0;
  if (property == SRCSEL_BY_PROTO) key->hi = (__u64)flow->proto << 56;
  if (property == SRCSEL_BY_DPORT) key->hi = (__u64)flow->dport << 48;
  if (property == SRCSEL_BY_UID) key->hi = (__u64)flow->uid << 32;
  if (property == SRCSEL_BY_GID) key->hi = (__u64)flow->gid << 32;
  if (property == SRCSEL_BY_CLASSID)
    key->hi = (__u64)flow->classid << 31 | (__u64)srcsel_is_zero(~flow->unknown & SRCSEL_IN_CLASSID)
                                               << 63;
  if (property == SRCSEL_BY_MARK)
    key->hi = (__u64)(srcsel_app_mark(n->image, n->head, flow) & argument) << 32;
  if (property == SRCSEL_BY_CGROUP) key->hi = flow->cgroup[argument & (SRCSEL_CGROUPS - 1)];
  if (property != SRCSEL_BY_COMM) return;
  key->hi = comm[0];
  key->lo = comm[1];
}

/* What the flow's dimension number `index`, less than SRCSEL_MAX_DIMENSIONS, has for it. */
SRCSEL_INLINE __u32 srcsel_number_in(const struct srcsel_numbering *n, __u32 index) {
  const struct srcsel_dimension *dimension = &n->head->dimensions[n->flow->family & 1].list[index];
  struct srcsel_key key;

  srcsel_property_key(n, dimension->property, dimension->argument, &key);
  key.hi += n->head->nothing;
  key.lo += n->head->nothing;
  return srcsel_find(n->image, n->head, &dimension->trie, &key);
}

static long srcsel_number_step(__u32 index, void *context) {
  struct srcsel_numbering *n = (struct srcsel_numbering *)context;

  if (index >= SRCSEL_MAX_DIMENSIONS) return 1;
  n->number[index] = srcsel_number_in(n, index);
  return 0;
}

struct srcsel_intersection {
  const struct srcsel_numbering *numbering;
  __u32 count;
  __u32 found;
  __u64 words; /* those that may have a rule in common, not yet looked at */
};

/* Word `w` of the AND of all vectors. */
SRCSEL_INLINE __u64 srcsel_common_rules(const struct srcsel_intersection *s, __u32 w) {
  const struct srcsel_numbering *n = s->numbering;
  /* From the count itself the verifier would learn in each dimension, and not forget. */
  const __u64 count = s->count + n->head->nothing;
  const struct srcsel_vector *vector;
  __u64 rules = ~0ull;

  SRCSEL_UNROLL
  for (__u32 i = 0; i < SRCSEL_MAX_DIMENSIONS; ++i) {
    if (i >= count) break;
    vector = (const struct srcsel_vector *)srcsel_object(n->image, n->head->vectors.page,
                                                         n->number[i], sizeof(*vector));
    if (!vector) return 0;
    rules &= vector->word[w];
  }
  return rules;
}

static long srcsel_intersect_step(__u32 index, void *context) {
  struct srcsel_intersection *s = (struct srcsel_intersection *)context;
  /* Masked for the verifier of 6.1: a summary has no bit above SRCSEL_VECTOR_WORDS. */
  const __u32 w = srcsel_popcount((s->words & -s->words) - 1) & SRCSEL_VECTOR_WORDS;
  __u64 rules;

  (void)index;
  if (!s->words) return 1;
  s->words &= s->words - 1;
  rules = srcsel_common_rules(s, w);
  if (!rules) return 0;
  s->found = w * 64 + srcsel_popcount((rules & -rules) - 1);
  return 1;
}

/* The lowest rule that all `count` vectors, one at least, accept. */
SRCSEL_FN __u32 srcsel_intersect(const struct srcsel_numbering *numbering, __u32 count) {
  struct srcsel_intersection s;

  s.numbering = numbering;
  s.count = count;
  s.found = SRCSEL_NONE;
  s.words = srcsel_common_rules(&s, SRCSEL_VECTOR_WORDS);
  srcsel_loop(SRCSEL_VECTOR_WORDS, srcsel_intersect_step, &s);
  return s.found;
}

SRCSEL_INLINE void srcsel_number_begin(struct srcsel_numbering *n, srcsel_image image,
                                       const struct srcsel_header *head,
                                       const struct srcsel_flow *flow) {
  n->image = image;
  n->head = head;
  n->flow = flow;
}

SRCSEL_INLINE __u32 srcsel_classify_by_one(srcsel_image image, const struct srcsel_header *head,
                                           const struct srcsel_flow *flow) {
  struct srcsel_numbering n;

  srcsel_number_begin(&n, image, head, flow);
  return srcsel_number_in(&n, 0) - 1;
}

SRCSEL_FN __u32 srcsel_classify_by(srcsel_image image, const struct srcsel_header *head,
                                   const struct srcsel_flow *flow, __u32 count) {
  struct srcsel_numbering n;

  srcsel_number_begin(&n, image, head, flow);
  __builtin_memset(n.number, 0, sizeof(n.number));
  srcsel_loop(count, srcsel_number_step, &n);
  return srcsel_intersect(&n, count);
}

/*
 * Index of the rule, or SRCSEL_NONE if none holds: the kernel chooses. Of the flow's dimensions the
 * first `count` are asked.
 */
SRCSEL_INLINE __u32 srcsel_classify(srcsel_image image, const struct srcsel_header *head,
                                    const struct srcsel_flow *flow, __u32 count) {
  if (!count) return (head->policy.count ? 0 : SRCSEL_NONE) + (__u32)head->nothing;
  if (head->dimensions[flow->family & 1].count == 1)
    return srcsel_classify_by_one(image, head, flow);
  return srcsel_classify_by(image, head, flow, count);
}

#endif /* SRCSEL_ENGINE_CLASSIFY_H */
