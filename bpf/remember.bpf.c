/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * remember: what the application chose itself, an address or a mark, so that no decision replaces
 * it. The calls are seen, never changed. What our own bpf_bind() and bpf_setsockopt() leave has no
 * such memory and may be replaced.
 */
#include "hook.bpf.h"

SRCSEL_INLINE void remember(struct bpf_sock *sk, __u32 fact) {
  __u32 none = 0;
  __u32 *facts;

  if (!sk) return;
  facts = bpf_sk_storage_get(&srcsel_facts, sk, &none, BPF_SK_STORAGE_GET_F_CREATE);
  if (facts) *facts |= fact;
}

SEC("cgroup/bind4")
int srcsel_bind4(struct bpf_sock_addr *ctx) {
  if (ctx->user_ip4) remember(ctx->sk, SRCSEL_FACT_SOURCE);
  return 1;
}

SEC("cgroup/bind6")
int srcsel_bind6(struct bpf_sock_addr *ctx) {
  if (ctx->user_ip6[0] | ctx->user_ip6[1] | ctx->user_ip6[2] | ctx->user_ip6[3])
    remember(ctx->sk, SRCSEL_FACT_SOURCE);
  return 1;
}

SEC("cgroup/setsockopt")
int srcsel_setsockopt(struct bpf_sockopt *ctx) {
  if (ctx->level == SOL_SOCKET && ctx->optname == SO_MARK) remember(ctx->sk, SRCSEL_FACT_MARK);
  /* Values longer than a page are not copied for programs; 0 has the kernel take the caller's. */
  if (ctx->optlen > (int)SRCSEL_PAGE) ctx->optlen = 0;
  return 1;
}
