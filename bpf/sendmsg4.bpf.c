/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sendmsg4: UDP datagrams to IPv4 destinations, ::ffff:a.b.c.d of AF_INET6 sockets included. */
#include "hook.bpf.h"

SRCSEL_INLINE void srcsel_send_from(struct bpf_sock_addr *ctx, const __u8 *source) {
  __u32 word;

  __builtin_memcpy(&word, source, sizeof(word));
  ctx->msg_src_ip4 = word;
}

#include "datagram.bpf.h"

SEC("cgroup/sendmsg4")
int srcsel_sendmsg4(struct bpf_sock_addr *ctx) {
  struct srcsel_flow flow = {.family = SRCSEL_V4};
  struct bpf_sock *sk = ctx->sk;

  if (!sk) return 1;
  flow.dst.hi = (__u64)bpf_ntohl(ctx->user_ip4) << 32;
  flow.facts = srcsel_source_facts(sk, ctx->msg_src_ip4, ctx->msg_src_ip4 ^ sk->src_ip4);
  return srcsel_datagram(ctx, sk, &flow);
}
