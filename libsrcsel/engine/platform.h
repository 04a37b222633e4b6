/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * platform.h: the only seams between the engine in user space and in BPF: reading a page of the
 * image, jumping into a trie, looping, choosing, stopping early, and whose turn it is.
 *
 * In BPF an image is the array map found by one lookup in the outer map; a page is one element. In
 * user space it is a stretch of memory. In both, an index beyond the image yields no page, and the
 * engine answers without one: a damaged image can give a wrong answer, never a wild access.
 */
#ifndef SRCSEL_ENGINE_PLATFORM_H
#define SRCSEL_ENGINE_PLATFORM_H

#include <srcsel/abi.h>

#define SRCSEL_JUMP_BITS 24u /* of a key: those of a fan and two strides */

#ifdef __bpf__

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Its own frame: the verifier checks it once per call instead of once per path through the caller.
 */
#define SRCSEL_FN static __attribute__((noinline))
#define SRCSEL_INLINE static __attribute__((always_inline)) inline

/* Before a loop whose body reads pointers from the stack: the verifier knows them by fixed offset.
 */
#define SRCSEL_UNROLL _Pragma("unroll")

/* Sockets bound to an address or a device are left alone by hooks before any table is searched. */
#define SRCSEL_BOUND_FLOWS 0

/* Hooks may mark any socket. */
#define SRCSEL_UNMARKABLE(flow) 0

typedef void *srcsel_image;

SRCSEL_INLINE const void *srcsel_page(srcsel_image image, __u32 page) {
  return bpf_map_lookup_elem(image, &page);
}

/* Object `index` of an array of `size`-byte objects starting at `page`. size is a power of two.
 * `key` is scratch space of the caller. */
SRCSEL_INLINE const void *srcsel_object_by(__u32 *key, srcsel_image image, __u32 page, __u32 index,
                                           __u32 size) {
  const __u64 position = (__u64)index * size;
  const __u8 *base;

  *key = page + (__u32)(position / SRCSEL_PAGE);
  base = (const __u8 *)bpf_map_lookup_elem(image, key);
  return base ? base + (position & (SRCSEL_PAGE - size)) : 0;
}

SRCSEL_INLINE const void *srcsel_object(srcsel_image image, __u32 page, __u32 index, __u32 size) {
  __u32 key;
  return srcsel_object_by(&key, image, page, index, size);
}

/* Whether what lies side by side in the image does so in memory. */
#define SRCSEL_IN_ONE_PIECE 0

/* Into no trie. */
#define srcsel_jump(image, fan, key) 0

#define srcsel_loop(count, step, context) bpf_loop(count, step, context, 0)

/* The same for a few steps, which the verifier may check one by one: without a call for each. Where
 * returns are guarded (AMD's SRSO), a call costs 10 ns. */
#define srcsel_loop_few(count, step, context)     \
  for (__u32 step_ = 0; step_ < (count); ++step_) \
    if (step(step_, context)) break

/* How many flows of this policy rule came before. The hooks count them in a map. */
SRCSEL_INLINE __u32 srcsel_turn(const struct srcsel_flow *flow, __u32 policy);

/* Makes the compiler finish `value` here. Otherwise it loads the operands of a long expression
 * first and spills them, and the frames of a walk no longer fit into the 512 bytes the verifier
 * allows a chain of calls. */
#define srcsel_settle(value) __asm__ volatile("" : "+r"(value))

/* Makes the compiler read `value` where it is. Otherwise it keeps copies of its members, for which
 * those 512 bytes have no room. */
#define srcsel_keep(value) __asm__ volatile("" : "+m"(value))

/* In user space a choice of two pointers without a jump. In BPF a jump costs less. */
#define SRCSEL_CHOOSES 0
#define srcsel_choose(condition, yes, no) (no)

/* Whether to stop here because `value` is not 0. Not in BPF, where one path through all is cheaper
 * to verify than many short ones. */
#define srcsel_settled(value) \
  ({                          \
    srcsel_settle(value);     \
    0;                        \
  })

#else /* user space */

#define SRCSEL_FN static inline __attribute__((unused))
#define SRCSEL_INLINE static inline __attribute__((always_inline, unused))
#define SRCSEL_UNROLL
#define SRCSEL_BOUND_FLOWS 1
#define SRCSEL_IN_ONE_PIECE 1
#define SRCSEL_UNMARKABLE(flow) ((flow)->facts & SRCSEL_FACT_UNMARKABLE)

/*
 * A way past the first strides of one trie a family, for who has memory to spare: what stands at
 * depth SRCSEL_JUMP_BITS, by the key's first bits. 0: not told here.
 */
struct srcsel_shortcuts {
  __u32 fan[SRCSEL_FAMILIES]; /* that of the trie; SRCSEL_NONE: there is no such trie */
  const __u16 *routes;        /* IPv4: numbers at leaves */
  const __u32 *slots;         /* IPv6 */
};

struct srcsel_memory {
  const __u8 *base; /* aligned to 8 bytes */
  __u32 pages;
  const struct srcsel_shortcuts *shortcuts; /* may be NULL */
};
typedef const struct srcsel_memory *srcsel_image;

#define srcsel_settle(value) ((void)(value))
#define srcsel_keep(value) ((void)(value))
#define srcsel_settled(value) ((value) != 0)

SRCSEL_INLINE const void *srcsel_page(srcsel_image image, __u32 page) {
  return page < image->pages ? image->base + (__u64)page * SRCSEL_PAGE : 0;
}

#ifdef SRCSEL_COUNTS_TURNS /* the includer does, as the hooks do */
SRCSEL_INLINE __u32 srcsel_turn(const struct srcsel_flow *flow, __u32 policy);
#else
SRCSEL_INLINE __u32 srcsel_turn(const struct srcsel_flow *flow, __u32 policy) {
  (void)policy;
  return flow->chance;
}
#endif

/* As in BPF; pages lie one after the other. */
SRCSEL_INLINE const void *srcsel_object(srcsel_image image, __u32 page, __u32 index, __u32 size) {
  const __u64 position = (__u64)page * SRCSEL_PAGE + (__u64)index * size;
  return position < (__u64)image->pages * SRCSEL_PAGE ? image->base + position : 0;
}
#define srcsel_object_by(key, image, page, index, size) srcsel_object(image, page, index, size)

/* The slot SRCSEL_JUMP_BITS down the trie that starts with this fan, 0 if only the trie knows. */
SRCSEL_INLINE __u32 srcsel_jump(srcsel_image image, __u32 fan, const struct srcsel_key *key) {
  const struct srcsel_shortcuts *shortcuts = image->shortcuts;
  const __u64 place = key->hi >> (64 - SRCSEL_JUMP_BITS);
  __u32 route;

  if (!shortcuts) return 0;
  if (fan == shortcuts->fan[SRCSEL_V6]) return shortcuts->slots[place];
  if (fan != shortcuts->fan[SRCSEL_V4]) return 0;
  route = shortcuts->routes[place];
  return route ? SRCSEL_LEAF | route : 0;
}

/* `yes` if the condition is 1, `no` if it is 0, by arithmetic: for what no CPU could predict. */
#define SRCSEL_CHOOSES 1
SRCSEL_INLINE const void *srcsel_choose(__u32 condition, const void *yes, const void *no) {
  const __UINTPTR_TYPE__ mask = -(__UINTPTR_TYPE__)condition;
  return (const void *)(((__UINTPTR_TYPE__)yes & mask) | ((__UINTPTR_TYPE__)no & ~mask));
}

/* Calls step(0..count-1, context) until it returns non-zero, as bpf_loop() does. */
SRCSEL_INLINE void srcsel_loop(__u32 count, long (*step)(__u32, void *), void *context) {
  for (__u32 i = 0; i < count; ++i)
    if (step(i, context)) return;
}
#define srcsel_loop_few srcsel_loop

#endif

/* The header, or NULL if this engine must not read the image. */
SRCSEL_INLINE const struct srcsel_header *srcsel_open(srcsel_image image) {
  const struct srcsel_header *head = (const struct srcsel_header *)srcsel_page(image, 0);
  if (!head || head->magic != SRCSEL_ABI_MAGIC || head->version != SRCSEL_ABI_VERSION) return 0;
  return head;
}

#endif /* SRCSEL_ENGINE_PLATFORM_H */
