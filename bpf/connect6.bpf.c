/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * connect6: the same for AF_INET6 sockets. A destination ::ffff:a.b.c.d arrives here, not at
 * connect4, and is an IPv4 flow: the kernel routes it by the IPv4 rules.
 */
#include <linux/in6.h>

#include "hook.bpf.h"

SRCSEL_INLINE long bind6(struct bpf_sock_addr *ctx, const struct srcsel_flow *flow,
                         const struct srcsel_decision *decision) {
  struct sockaddr_in6 source = {.sin6_family = AF_INET6};
  __u32 *words = source.sin6_addr.in6_u.u6_addr32;

  if (flow->family == SRCSEL_V4) {
    words[2] = bpf_htonl(0xffff);
    __builtin_memcpy(&words[3], decision->source, sizeof(words[3]));
  } else {
    __builtin_memcpy(words, decision->source, sizeof(source.sin6_addr));
  }
  return bpf_bind(ctx, (struct sockaddr *)&source, sizeof(source));
}

SEC("cgroup/connect6")
int srcsel_connect6(struct bpf_sock_addr *ctx) {
  const __u64 ab = (__u64)bpf_ntohl(ctx->user_ip6[0]) << 32 | bpf_ntohl(ctx->user_ip6[1]);
  const __u64 cd = (__u64)bpf_ntohl(ctx->user_ip6[2]) << 32 | bpf_ntohl(ctx->user_ip6[3]);
  const __u64 mapped = srcsel_is_zero(ab | (cd >> 32 ^ 0xffff));
  struct bpf_sock *sk = ctx->sk;
  struct srcsel_flow flow = {};
  __u32 source;

  if (!sk) return 1;
  flow.family = SRCSEL_V6 ^ (mapped * (SRCSEL_V4 ^ SRCSEL_V6));
  flow.dst.hi = ab | (cd << 32 & -mapped);
  flow.dst.lo = cd & (mapped - 1);
  source = sk->src_ip6[0] | sk->src_ip6[1] | sk->src_ip6[2] | sk->src_ip6[3];
  srcsel_run(ctx, sk, &flow, source, bind6);
  return 1;
}
