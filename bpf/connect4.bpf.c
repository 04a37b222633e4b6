/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* connect4: connects of AF_INET sockets. */
#include "hook.bpf.h"

SRCSEL_FN long srcsel_bind(struct bpf_sock_addr *ctx, const struct srcsel_flow *flow,
                           const struct srcsel_decision *decision, __u16 port) {
  struct sockaddr_in source = {.sin_family = AF_INET, .sin_port = bpf_htons(port)};

  (void)flow;
  __builtin_memcpy(&source.sin_addr, decision->source, sizeof(source.sin_addr));
  return bpf_bind(ctx, (struct sockaddr *)&source, sizeof(source));
}

#include "connect.bpf.h"

SEC("cgroup/connect4")
int srcsel_connect4(struct bpf_sock_addr *ctx) {
  struct srcsel_flow flow = {.family = SRCSEL_V4};
  struct bpf_sock *sk = ctx->sk;

  if (!sk) return 1;
  flow.dst.hi = (__u64)bpf_ntohl(ctx->user_ip4) << 32;
  flow.facts = (sk->src_ip4 != 0) * SRCSEL_FACT_LEFT;
  return srcsel_connect(ctx, sk, &flow);
}
