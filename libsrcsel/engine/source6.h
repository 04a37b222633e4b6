/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * source6.h: the IPv6 source address of a route that names none, as ipv6_dev_get_saddr() chooses it
 * (RFC 6724).
 *
 * The addresses are walked once, in the kernel's order. Each is given one number (abi.h, enum
 * srcsel_score), in which the rules lie in their order, so that one comparison is all of them. What
 * no destination changes is in the image already. Arithmetic, not branches, for the verifier's
 * sake.
 *
 * Cost: linear in the labels up to the one that fits, and in the addresses.
 */
#ifndef SRCSEL_ENGINE_SOURCE6_H
#define SRCSEL_ENGINE_SOURCE6_H

#include "engine/key.h"

/* IPV6_PREFER_SRC_* of linux/in6.h, as the application sets them by IPV6_ADDR_PREFERENCES. */
enum srcsel_prefer {
  SRCSEL_PREFER_TEMPORARY = 1,
  SRCSEL_PREFER_PUBLIC = 2,
  SRCSEL_PREFER_CARE_OF = 4,
};

enum srcsel_sourced {
  SRCSEL_NO_SOURCE = 0,  /* EADDRNOTAVAIL */
  SRCSEL_SOURCED,        /* `source` is the answer */
  SRCSEL_SOURCE_UNKNOWN, /* what decides is not visible */
};

struct srcsel_source_walk {
  srcsel_image image;
  const struct srcsel_key *dst;
  __u32 addresses, labels; /* first pages */
  __u32 oif;               /* of the route, 0: there is none */
  __u32 label;             /* of the destination */
  __u32 flip;              /* bits of the image's scores to turn over */
  __u32 asked, plain;      /* SRCSEL_SCORE_PRIVACY: the application says; it wants no temporary */
  __u32 scope;             /* of the destination */
  __u32 only;              /* 1: none but addresses of oif are candidates */
  /* the best so far: not itself, for which there is no room on the stack */
  __u32 best;  /* its index, SRCSEL_NONE: none yet */
  __u32 from;  /* its interface */
  __u32 doubt; /* flags of srcsel_address that leave the answer open */
  __u64 score;
};

SRCSEL_INLINE __u64 srcsel_is_multicast6(const struct srcsel_key *key) {
  return srcsel_is_zero(key->hi >> 56 ^ 0xff);
}

SRCSEL_INLINE __u64 srcsel_is_orchid(const struct srcsel_key *key) {
  return srcsel_is_zero(key->hi >> 36 ^ 0x20010010 >> 4);
}

/* RFC 4291's number for the scope of an address; 0, less than any, of the unspecified one. */
SRCSEL_INLINE __u32 srcsel_scope6(const struct srcsel_key *key) {
  const __u64 multicast = srcsel_is_multicast6(key);
  const __u64 link =
      srcsel_is_zero(key->hi >> 54 ^ 0xfe80 >> 6) | srcsel_is_zero(key->hi | (key->lo ^ 1));
  const __u64 site = srcsel_is_zero(key->hi >> 54 ^ 0xfec0 >> 6);
  const __u64 any = srcsel_is_zero(key->hi | key->lo);
  const __u64 scope = 14 - link * 12 - site * 9 - any * 14;

  return (__u32)((scope & (multicast - 1)) | (key->hi >> 48 & 0xf & -multicast));
}

/* Non-zero where the label is of another prefix or interface. */
SRCSEL_INLINE __u64 srcsel_label_misses(const struct srcsel_label *label,
                                        const struct srcsel_key *key, __u32 oif) {
  return srcsel_outside(key, &label->match) | ((label->oif ^ oif) & label->oif_mask);
}

static long srcsel_label_step(__u32 index, void *context) {
  struct srcsel_source_walk *s = (struct srcsel_source_walk *)context;
  const struct srcsel_label *label =
      (const struct srcsel_label *)srcsel_object(s->image, s->labels, index, sizeof(*label));

  if (!label) return 1;
  if (srcsel_label_misses(label, s->dst, s->oif)) return 0;
  s->label = label->label;
  return 1;
}

SRCSEL_INLINE __u64 srcsel_score6(const struct srcsel_source_walk *s,
                                  const struct srcsel_address *a) {
  const __u64 on_oif = srcsel_is_zero(a->oif ^ s->oif);
  const __u64 narrow = ((__u64)a->scope - s->scope) >> 63;
  const __u64 difference = (a->key.hi ^ s->dst->hi) | (a->key.lo ^ s->dst->lo);
  const __u64 candidate = on_oif | ((s->only ^ 1) & (a->score / SRCSEL_SCORE_CANDIDATE));
  __u64 score = a->score ^ s->flip;

  score = (score & ~(__u64)s->asked) | ((a->flags ^ s->plain) & s->asked);
  srcsel_settle(score);
  score += (on_oif | srcsel_is_zero(s->oif)) * SRCSEL_SCORE_OIF;
  score += srcsel_is_zero(a->label ^ s->label) * SRCSEL_SCORE_LABEL;
  srcsel_settle(score);
  score += (((128 - a->scope) & (narrow - 1)) | (a->scope & -narrow)) * SRCSEL_SCORE_SCOPE;
  score += srcsel_is_zero(difference) * SRCSEL_SCORE_SAME;
  score += (on_oif & a->flags) * SRCSEL_SCORE_ONLY;
  srcsel_settle(score);
  score += srcsel_smaller(srcsel_common_bits(&a->key, s->dst), a->plen) * SRCSEL_SCORE_PREFIX;
  return score & -candidate;
}

SRCSEL_INLINE const struct srcsel_address *srcsel_address_at(const struct srcsel_source_walk *s,
                                                             __u32 index) {
  return (const struct srcsel_address *)srcsel_object(s->image, s->addresses, index,
                                                      sizeof(struct srcsel_address));
}

static long srcsel_source6_step(__u32 index, void *context) {
  struct srcsel_source_walk *s = (struct srcsel_source_walk *)context;
  const struct srcsel_address *a = srcsel_address_at(s, index);
  __u64 score, worse, better;

  if (!a) return 1;
  score = srcsel_score6(s, a);
  /* By the sign of differences: from a comparison the verifier would learn a new bound each time
   * round, and never see the loop repeat itself. */
  worse = (score - s->score) >> 63;
  better = (s->score - score) >> 63;
  srcsel_settle(worse);
  srcsel_settle(better);
  if (worse) return 0;
  if (!better) {
    if (a->oif != s->from) s->doubt |= a->flags & SRCSEL_ADDRESS_UNORDERED;
    return 0;
  }
  s->score = score;
  s->best = index;
  s->from = a->oif;
  s->doubt = a->flags & SRCSEL_ADDRESS_OPAQUE;
  return 0;
}

/* Sets out for `dst`; the arguments are those of srcsel_source6(). */
SRCSEL_INLINE void srcsel_source_begin(struct srcsel_source_walk *s, srcsel_image image,
                                       const struct srcsel_header *head,
                                       const struct srcsel_key *dst, __u32 oif, __u32 prefer) {
  const __u32 temporary = prefer & SRCSEL_PREFER_TEMPORARY, nothing = (__u32)head->nothing;

  s->image = image;
  s->dst = dst;
  s->addresses = head->addresses.page;
  s->labels = head->labels.page;
  s->oif = oif;
  srcsel_keep(s->oif);
  s->label = SRCSEL_NONE - nothing;
  s->scope = srcsel_scope6(dst);
  s->only = (__u32)((srcsel_is_multicast6(dst) | srcsel_beyond(s->scope, 3, 15)) &
                    (srcsel_is_zero(s->oif) ^ 1));
  s->flip = (__u32)(srcsel_is_orchid(dst) ^ 1) * SRCSEL_SCORE_ORCHID +
            (prefer / SRCSEL_PREFER_CARE_OF & 1) * SRCSEL_SCORE_HOME;
  s->plain = (prefer / SRCSEL_PREFER_PUBLIC & ~temporary & 1) * SRCSEL_SCORE_PRIVACY;
  s->asked = s->plain | temporary * SRCSEL_SCORE_PRIVACY;
  s->score = 1 + nothing;
  s->best = SRCSEL_NONE - nothing;
  s->from = s->doubt = nothing;
  srcsel_loop(head->labels.count, srcsel_label_step, s);
}

/*
 * The source for `dst` by a route out of interface `oif`; by none if the lookup failed (oif 0).
 * `prefer`: enum srcsel_prefer bits, 0 where the application's wishes are not known. Writes a wire
 * address. Answers enum srcsel_sourced.
 */
SRCSEL_FN __u32 srcsel_source6(srcsel_image image, const struct srcsel_header *head,
                               const struct srcsel_key *dst, __u32 oif, __u32 prefer,
                               __u8 *source) {
  const struct srcsel_address *best;
  struct srcsel_source_walk s;

  srcsel_source_begin(&s, image, head, dst, oif, prefer);
  srcsel_loop(head->addresses.count, srcsel_source6_step, &s);
  __builtin_memset(__builtin_assume_aligned(source, 8), 0, 16);
  best = s.best == SRCSEL_NONE ? 0 : srcsel_address_at(&s, s.best);
  if (best) srcsel_write_address(source, &best->key);
  if (s.doubt) return SRCSEL_SOURCE_UNKNOWN;
  return best && best->key.hi | best->key.lo ? SRCSEL_SOURCED : SRCSEL_NO_SOURCE;
}

#endif /* SRCSEL_ENGINE_SOURCE6_H */
