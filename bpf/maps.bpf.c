/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "maps.bpf.h"

struct srcsel_images srcsel_images SEC(".maps");
struct srcsel_counters srcsel_counters SEC(".maps");
struct srcsel_tallies srcsel_tallies SEC(".maps");
struct srcsel_turns srcsel_turns SEC(".maps");
struct srcsel_claims srcsel_claims SEC(".maps");
struct srcsel_facts srcsel_facts SEC(".maps");
struct srcsel_events srcsel_events SEC(".maps");
__u32 srcsel_listening = 0;
__u32 srcsel_minds_old = 0;
__u32 srcsel_nested = 0;
__u64 srcsel_dropped = 0;
const volatile __u32 srcsel_has_classes = 1;
const volatile __u32 srcsel_cred_at = 1;
const volatile __u32 srcsel_user_at = 1;
const volatile __u32 srcsel_group_at = 1;

char LICENSE[] SEC("license") = "Dual BSD/GPL";
