/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* maps.bpf.h: every map of the programs, declared once; maps.bpf.c defines them. */
#ifndef SRCSEL_MAPS_BPF_H
#define SRCSEL_MAPS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <srcsel/abi.h>

/* The pages of one image. Inner maps differ in size, hence BPF_F_INNER_MAP; user space fills them
 * through mmap. libbpf 1.1 needs sizes here, it cannot resolve types of inner maps. */
struct srcsel_pages {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, SRCSEL_PAGE);
};

/* The image in force: one slot, swapped whole. A program looks it up once and keeps what it got. */
struct srcsel_images {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(__u32));
  __array(values, struct srcsel_pages);
};

/* Decisions by reason. */
struct srcsel_counters {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, SRCSEL_WHY_COUNT);
  __type(key, __u32);
  __type(value, __u64);
};

/* Policy rules: what became of the flows they hold for. */
struct srcsel_tallies {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, SRCSEL_MAX_POLICY);
  __type(key, __u32);
  __type(value, struct srcsel_tally);
};

/* How many flows each policy rule has seen whose pool goes by turn; the families have turns of
 * their own. */
struct srcsel_turns {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, SRCSEL_MAX_POLICY *SRCSEL_FAMILIES);
  __type(key, __u32);
  __type(value, __u32);
};

/* A port that a connection on its way will have. Wire addresses, ports in host order. */
struct srcsel_claim {
  __u8 source[16], peer[16];
  __u64 netns;
  __u16 port, peer_port;
  __u32 zero;
};

/* When each was claimed. The oldest go first when there are too many. */
struct srcsel_claims {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 16384);
  __type(key, struct srcsel_claim);
  __type(value, __u64);
};

/* Sockets of which there is something to know: enum srcsel_fact. Written when the application binds
 * or marks: creating the storage costs 500 ns, which who does so pays and who connects does not. */
struct srcsel_facts {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, __u32);
};

/* struct srcsel_event, as srcsel_listening says. */
struct srcsel_events {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
};

extern struct srcsel_images srcsel_images SEC(".maps");
extern struct srcsel_counters srcsel_counters SEC(".maps");
extern struct srcsel_tallies srcsel_tallies SEC(".maps");
extern struct srcsel_turns srcsel_turns SEC(".maps");
extern struct srcsel_claims srcsel_claims SEC(".maps");
extern struct srcsel_facts srcsel_facts SEC(".maps");
extern struct srcsel_events srcsel_events SEC(".maps");

/* What the reader of srcsel_events wants. 0: nobody reads. 1: decisions that changed something or
 * failed. 2: all. */
extern __u32 srcsel_listening;

/* Not 0 if some sockets may be older than the hooks (SRCSEL_FACT_OLD). */
extern __u32 srcsel_minds_old;

/* Not 0 if hooks of a cgroup above may run after these: srcsel_facts are then theirs. */
extern __u32 srcsel_nested;

/* Not 0 if the kernel has classes of net_cls; without CONFIG_CGROUP_NET_CLASSID no program may ask
 * for one. Known before loading: the verifier leaves out what cannot be reached. */
extern const volatile __u32 srcsel_has_classes;

/* Offsets of task_struct.cred and of its fsuid and fsgid; srcsel_cred_at is 0 where they are not
 * known, or no program may read them. Known before loading, as above. */
extern const volatile __u32 srcsel_cred_at, srcsel_user_at, srcsel_group_at;

/* Events for which the ring had no room. */
extern __u64 srcsel_dropped;

#endif /* SRCSEL_MAPS_BPF_H */
