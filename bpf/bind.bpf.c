/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bind: remembers that the application chose an address itself, so that no connect replaces it. The
 * bind is seen, never changed. An address left by our own bpf_bind() has no such memory and may be
 * replaced.
 */
#include "hook.bpf.h"

SRCSEL_INLINE void remember(struct bpf_sock_addr *ctx) {
  __u32 bound = SRCSEL_FACT_SOURCE;
  struct bpf_sock *sk = ctx->sk;

  if (sk) bpf_sk_storage_get(&srcsel_bound, sk, &bound, BPF_SK_STORAGE_GET_F_CREATE);
}

SEC("cgroup/bind4")
int srcsel_bind4(struct bpf_sock_addr *ctx) {
  if (ctx->user_ip4) remember(ctx);
  return 1;
}

SEC("cgroup/bind6")
int srcsel_bind6(struct bpf_sock_addr *ctx) {
  if (ctx->user_ip6[0] | ctx->user_ip6[1] | ctx->user_ip6[2] | ctx->user_ip6[3]) remember(ctx);
  return 1;
}
