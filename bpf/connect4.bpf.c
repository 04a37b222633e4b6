/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* connect4: connect(), MSG_FASTOPEN, TCP_FASTOPEN_CONNECT and io_uring connects of AF_INET. */
#include "hook.bpf.h"

SRCSEL_INLINE long bind4(struct bpf_sock_addr *ctx, const struct srcsel_flow *flow,
                         const struct srcsel_decision *decision) {
  struct sockaddr_in source = {.sin_family = AF_INET};

  (void)flow;
  __builtin_memcpy(&source.sin_addr, decision->source, sizeof(source.sin_addr));
  return bpf_bind(ctx, (struct sockaddr *)&source, sizeof(source));
}

SEC("cgroup/connect4")
int srcsel_connect4(struct bpf_sock_addr *ctx) {
  struct srcsel_flow flow = {.family = SRCSEL_V4};
  struct bpf_sock *sk = ctx->sk;

  if (!sk) return 1;
  flow.dst.hi = (__u64)bpf_ntohl(ctx->user_ip4) << 32;
  srcsel_run(ctx, sk, &flow, sk->src_ip4, bind4);
  return 1;
}
