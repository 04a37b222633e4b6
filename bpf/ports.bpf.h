/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ports.bpf.h: binds a connecting socket to a source and a free port of a range.
 *
 * TCP: a port is free if nobody has this source, port and destination: ports are shared between
 * destinations, as a NAT would share them, and run out only when these do. Between the hook and the
 * end of connect() nobody sees the connection yet; a claim keeps others off for a second. Sharing
 * takes SO_REUSEADDR, which the socket keeps if it gets a port.
 * UDP: a port is free if it can be bound.
 *
 * The includer defines srcsel_bind(). Cost: a lookup for each port that is taken, from a random one
 * on.
 */
#ifndef SRCSEL_PORTS_BPF_H
#define SRCSEL_PORTS_BPF_H

#include "hook.bpf.h"

#define SRCSEL_CLAIM_NS 1000000000ll

struct srcsel_port_search {
  struct bpf_sock_addr *ctx;
  const struct srcsel_flow *flow;
  struct srcsel_decision *decision;
  struct srcsel_claim claim;
  __u64 now;
  __u32 offset, count;
  __u32 found;
};

/* Whether an existing TCP socket has, or somebody else has just claimed, what the claim names. */
SRCSEL_INLINE __u32 srcsel_is_taken(struct srcsel_port_search *s) {
  const __u32 v6 = s->flow->family == SRCSEL_V6;
  struct bpf_sock_tuple tuple = {};
  struct bpf_sock *sk;

  if (v6) {
    __builtin_memcpy(tuple.ipv6.saddr, s->claim.peer, 16);
    __builtin_memcpy(tuple.ipv6.daddr, s->claim.source, 16);
    tuple.ipv6.sport = bpf_htons(s->claim.peer_port);
    tuple.ipv6.dport = bpf_htons(s->claim.port);
    sk = bpf_skc_lookup_tcp(s->ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
  } else {
    __builtin_memcpy(&tuple.ipv4.saddr, s->claim.peer, 4);
    __builtin_memcpy(&tuple.ipv4.daddr, s->claim.source, 4);
    tuple.ipv4.sport = bpf_htons(s->claim.peer_port);
    tuple.ipv4.dport = bpf_htons(s->claim.port);
    sk = bpf_skc_lookup_tcp(s->ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
  }
  if (sk) bpf_sk_release(sk);
  return sk != 0;
}

SRCSEL_INLINE __u32 srcsel_claim_it(struct srcsel_port_search *s) {
  __u64 *claimed, then;

  if (!bpf_map_update_elem(&srcsel_claims, &s->claim, &s->now, BPF_NOEXIST)) return 1;
  claimed = bpf_map_lookup_elem(&srcsel_claims, &s->claim);
  if (!claimed) return 0;
  then = *claimed;
  /* Signed: another CPU's claim may be younger than our `now`. */
  if ((__s64)(s->now - then) < SRCSEL_CLAIM_NS) return 0;
  return __sync_val_compare_and_swap(claimed, then, s->now) == then;
}

static long srcsel_port_step(__u32 index, void *context) {
  struct srcsel_port_search *s = context;
  __u32 place = s->offset + index;

  if (place >= s->count) place -= s->count;
  s->claim.port = (__u16)(s->decision->port_first + place);
  if (s->flow->proto == IPPROTO_TCP) {
    if (srcsel_is_taken(s)) return 0;
    if (!srcsel_claim_it(s)) return 0;
  }
  if (srcsel_bind(s->ctx, s->flow, s->decision, s->claim.port)) return 0;
  s->found = 1;
  return 1;
}

SRCSEL_INLINE long srcsel_set_reuse(struct bpf_sock_addr *ctx, int on) {
  return bpf_setsockopt(ctx, SOL_SOCKET, SO_REUSEADDR, (void *)&on, sizeof(on));
}

SRCSEL_FN long srcsel_bind_port(struct bpf_sock_addr *ctx, const struct srcsel_flow *flow,
                                struct srcsel_decision *decision) {
  struct srcsel_port_search s = {.ctx = ctx, .flow = flow, .decision = decision};
  int reuse = 1;

  s.count = (__u32)decision->port_last - decision->port_first + 1;
  s.offset = bpf_get_prandom_u32() % s.count;
  s.now = bpf_ktime_get_ns();
  s.claim.netns = flow->netns;
  s.claim.peer_port = flow->dport;
  srcsel_copy_address(s.claim.source, decision->source);
  srcsel_write_address(s.claim.peer, &flow->dst);
  if (flow->proto == IPPROTO_TCP)
    bpf_getsockopt(ctx, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
  if (!reuse && srcsel_set_reuse(ctx, 1)) return -EADDRNOTAVAIL;
  bpf_loop(s.count, srcsel_port_step, &s, 0);
  if (!s.found) {
    if (!reuse) srcsel_set_reuse(ctx, 0);
    return -EADDRNOTAVAIL;
  }
  decision->port_first = s.claim.port;
  decision->port_last = s.claim.port;
  return 0;
}

#endif /* SRCSEL_PORTS_BPF_H */
