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

/* Sockets that the application bound to an address itself. Written by bind4/6 only: creating the
 * storage costs 500 ns, which an application that binds pays and one that connects does not. */
struct srcsel_bound {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, __u32);
};

/* struct srcsel_event, while srcsel_listening. */
struct srcsel_events {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
};

extern struct srcsel_images srcsel_images SEC(".maps");
extern struct srcsel_counters srcsel_counters SEC(".maps");
extern struct srcsel_bound srcsel_bound SEC(".maps");
extern struct srcsel_events srcsel_events SEC(".maps");

/* Whether anybody reads srcsel_events. */
extern __u32 srcsel_listening;

#endif /* SRCSEL_MAPS_BPF_H */
