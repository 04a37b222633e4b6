/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fill: writes one decision to a ring as the hooks' is, again and again, until it is nearly full:
 * what a reader finds who comes late, and each time the same.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <srcsel/abi.h>

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} fill_events SEC(".maps");

/* A struct srcsel_event. */
__u64 fill_event[sizeof(struct srcsel_event) / sizeof(__u64)] = {};
__u32 fill_count = 0;
/* Those that had no room. */
__u64 fill_refused = 0;

static long write_one(__u32 i, void *context) {
  (void)i;
  (void)context;
  if (bpf_ringbuf_output(&fill_events, fill_event, sizeof(fill_event), BPF_RB_NO_WAKEUP))
    __sync_fetch_and_add(&fill_refused, 1);
  return 0;
}

SEC("syscall")
int fill(void *context) {
  (void)context;
  bpf_loop(fill_count, write_one, 0, 0);
  return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
