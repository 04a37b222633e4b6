/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sendmsg6: UDP datagrams to IPv6 destinations. */
#include "hook.bpf.h"

SRCSEL_FN int srcsel_send_from(struct bpf_sock_addr *ctx, const __u8 *source) {
  __u32 word[4];

  __builtin_memcpy(word, source, sizeof(word));
  ctx->msg_src_ip6[0] = word[0];
  ctx->msg_src_ip6[1] = word[1];
  ctx->msg_src_ip6[2] = word[2];
  ctx->msg_src_ip6[3] = word[3];
  return 0;
}

#include "datagram.bpf.h"

/* In a frame of its own: that of the hook has no room for the words. */
SRCSEL_FN int read_addresses(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
                             struct srcsel_flow *flow) {
  __u32 any = 0, differs = 0;

  flow->dst.hi = (__u64)bpf_ntohl(ctx->user_ip6[0]) << 32 | bpf_ntohl(ctx->user_ip6[1]);
  flow->dst.lo = (__u64)bpf_ntohl(ctx->user_ip6[2]) << 32 | bpf_ntohl(ctx->user_ip6[3]);
  any = ctx->msg_src_ip6[0] | ctx->msg_src_ip6[1] | ctx->msg_src_ip6[2] | ctx->msg_src_ip6[3];
  differs = (ctx->msg_src_ip6[0] ^ sk->src_ip6[0]) | (ctx->msg_src_ip6[1] ^ sk->src_ip6[1]) |
            (ctx->msg_src_ip6[2] ^ sk->src_ip6[2]) | (ctx->msg_src_ip6[3] ^ sk->src_ip6[3]);
  flow->facts = srcsel_source_facts(sk, any, differs);
  return 0;
}

SEC("cgroup/sendmsg6")
int srcsel_sendmsg6(struct bpf_sock_addr *ctx) {
  struct srcsel_flow flow = {.family = SRCSEL_V6};
  struct bpf_sock *sk = ctx->sk;

  if (!sk) return 1;
  read_addresses(ctx, sk, &flow);
  return srcsel_datagram(ctx, sk, &flow);
}
