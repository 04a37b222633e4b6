/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * connect6: connects of AF_INET6 sockets. A destination ::ffff:a.b.c.d arrives here, not at
 * connect4, and is an IPv4 flow: the kernel routes it by the IPv4 rules.
 */
#include <linux/in6.h>

#include "hook.bpf.h"

SRCSEL_FN long srcsel_bind(struct bpf_sock_addr *ctx, const struct srcsel_flow *flow,
                           const struct srcsel_decision *decision, __u16 port) {
  struct sockaddr_in6 source = {.sin6_family = AF_INET6, .sin6_port = bpf_htons(port)};
  __u32 *words = source.sin6_addr.in6_u.u6_addr32;

  __builtin_memcpy(words, decision->source, sizeof(source.sin6_addr));
  /* Nothing at all stays ::, which takes back an IPv4 address too. */
  if (flow->family == SRCSEL_V4 && words[0]) {
    words[3] = words[0];
    words[2] = bpf_htonl(0xffff);
    words[0] = 0;
  }
  return bpf_bind(ctx, (struct sockaddr *)&source, sizeof(source));
}

#include "connect.bpf.h"

/* In a frame of its own: that of the hook has no room for the words. */
SRCSEL_FN int read_destination(struct bpf_sock_addr *ctx, struct srcsel_flow *flow) {
  const __u64 ab = (__u64)bpf_ntohl(ctx->user_ip6[0]) << 32 | bpf_ntohl(ctx->user_ip6[1]);
  const __u64 cd = (__u64)bpf_ntohl(ctx->user_ip6[2]) << 32 | bpf_ntohl(ctx->user_ip6[3]);
  const __u64 mapped = srcsel_is_zero(ab | (cd >> 32 ^ 0xffff));

  flow->family = SRCSEL_V6 ^ (mapped * (SRCSEL_V4 ^ SRCSEL_V6));
  flow->dst.hi = ab | (cd << 32 & -mapped);
  flow->dst.lo = cd & (mapped - 1);
  return 0;
}

SEC("cgroup/connect6")
int srcsel_connect6(struct bpf_sock_addr *ctx) {
  struct bpf_sock *sk = ctx->sk;
  struct srcsel_flow flow = {};

  if (!sk) return 1;
  read_destination(ctx, &flow);
  if (sk->src_ip6[0] | sk->src_ip6[1] | sk->src_ip6[2] | sk->src_ip6[3])
    flow.facts = SRCSEL_FACT_LEFT;
  return srcsel_connect(ctx, sk, &flow);
}
