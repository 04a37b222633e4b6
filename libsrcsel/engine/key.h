/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* key.h: arithmetic on 128-bit keys, left aligned and in host order, and on inclusive ranges. */
#ifndef SRCSEL_ENGINE_KEY_H
#define SRCSEL_ENGINE_KEY_H

#include "engine/platform.h"

/* Non-zero where the key lies outside the match. */
SRCSEL_INLINE __u64 srcsel_outside(const struct srcsel_key *key, const struct srcsel_match *match) {
  return ((key->hi ^ match->value.hi) & match->mask.hi) |
         ((key->lo ^ match->value.lo) & match->mask.lo);
}

/* 1 where `number` is outside first..last, else 0. BPF compares by jumping only: arithmetic keeps
 * the verifier on one path. */
SRCSEL_INLINE __u64 srcsel_beyond(__u32 number, __u32 first, __u32 last) {
  const __u32 above = number - first, span = last - first;

  return ((__u64)span - above) >> 63;
}

/* 1 for 0, else 0; without a jump. */
SRCSEL_INLINE __u64 srcsel_is_zero(__u64 bits) {
  return ((bits | -bits) >> 63) ^ 1;
}

/* Takes the top `bits` (1 to 63) off the key. They come in again at its end: of zeros there
 * the verifier would know, and check each stride by itself. No prefix reaches there, and a trie has
 * it in every slot that begins with it. */
SRCSEL_INLINE __u32 srcsel_take(struct srcsel_key *key, __u32 bits) {
  const __u32 top = (__u32)(key->hi >> (64 - bits));
  key->hi = key->hi << bits | key->lo >> (64 - bits);
  key->lo = key->lo << bits | top;
  return top;
}

/* BPF has no instruction for it; the compiler's expansion is a dozen operations. */
SRCSEL_INLINE __u32 srcsel_popcount(__u64 bits) {
  return (__u32)__builtin_popcountll(bits);
}

/* How many leading bits two keys have in common: 0 to 128. clang-14 crashes on __builtin_clz(). */
SRCSEL_INLINE __u64 srcsel_common_bits(const struct srcsel_key *a, const struct srcsel_key *b) {
  const __u64 high = a->hi ^ b->hi, low = -srcsel_is_zero(high);
  __u64 differ = high | ((a->lo ^ b->lo) & low);

  differ |= differ >> 1;
  differ |= differ >> 2;
  differ |= differ >> 4;
  differ |= differ >> 8;
  differ |= differ >> 16;
  differ |= differ >> 32;
  return (64 & low) + srcsel_popcount(~differ);
}

/* The smaller of two numbers below 2^63. */
SRCSEL_INLINE __u64 srcsel_smaller(__u64 a, __u64 b) {
  return b + ((a - b) & -((a - b) >> 63));
}

/* Wire addresses lie on multiples of 8 bytes everywhere in abi.h. */
SRCSEL_INLINE void srcsel_copy_address(__u8 *to, const __u8 *from) {
  __builtin_memcpy(__builtin_assume_aligned(to, 8), __builtin_assume_aligned(from, 8), 16);
}

/* A key of IPv6 as a wire address. */
SRCSEL_INLINE void srcsel_write_address(__u8 *to, const struct srcsel_key *key) {
  __u64 *words = (__u64 *)__builtin_assume_aligned(to, 8);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  words[0] = __builtin_bswap64(key->hi);
  words[1] = __builtin_bswap64(key->lo);
#else
  words[0] = key->hi;
  words[1] = key->lo;
#endif
}

#endif /* SRCSEL_ENGINE_KEY_H */
