/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * remember: what the application chose itself, an address or a mark, so that no decision replaces
 * it. The calls are seen, never changed. What our own bpf_bind() and bpf_setsockopt() leave has no
 * such memory and may be replaced.
 *
 * A mark that a socket got when it was made is taken back as soon as the application shows that it
 * is not for what the policy had in mind: it binds an address, or prepares for broadcast or
 * multicast. A datagram's mark can be taken back by no later hook. What is connected keeps its
 * mark: its source was chosen with it.
 */
#include <linux/in6.h>

#include "hook.bpf.h"

/* The socket's mark without what is ours; itself if nothing is. */
SRCSEL_FN __u32 own_mark_removed(struct bpf_sock *sk) {
  const __u32 *facts = bpf_sk_storage_get(&srcsel_facts, sk, 0, 0);

  if (!sk->mark || sk->state != BPF_TCP_CLOSE ||
      (facts && (srcsel_known(*facts, sk->mark) & SRCSEL_FACT_MARK || srcsel_is_others(*facts))))
    return sk->mark;
  return sk->mark & ~srcsel_own_mark_in(sk->mark);
}

SRCSEL_INLINE void remember_bind(struct bpf_sock_addr *ctx) {
  struct bpf_sock *sk = ctx->sk;
  __u32 mark;

  if (!sk) return;
  mark = own_mark_removed(sk);
  if (mark != sk->mark) bpf_setsockopt(ctx, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
  srcsel_remember(sk, SRCSEL_FACT_SOURCE);
}

SEC("cgroup/bind4")
int srcsel_bind4(struct bpf_sock_addr *ctx) {
  if (ctx->user_ip4) remember_bind(ctx);
  return 1;
}

/* ::ffff:0.0.0.0 is no address either. */
SEC("cgroup/bind6")
int srcsel_bind6(struct bpf_sock_addr *ctx) {
  const __u32 mapped = ctx->user_ip6[2] == bpf_htonl(0xffff);

  if (ctx->user_ip6[0] | ctx->user_ip6[1] | (mapped ? 0 : ctx->user_ip6[2]) | ctx->user_ip6[3])
    remember_bind(ctx);
  return 1;
}

SRCSEL_INLINE __u32 is_for_groups(__s32 level, __s32 option) {
  if (level == SOL_SOCKET) return option == SO_BROADCAST;
  if (level == IPPROTO_IP)
    return (option >= IP_MULTICAST_IF && option <= IP_ADD_MEMBERSHIP) ||
           option == IP_ADD_SOURCE_MEMBERSHIP ||
           (option >= MCAST_JOIN_GROUP && option <= MCAST_MSFILTER);
  if (level == IPPROTO_IPV6)
    return (option >= IPV6_MULTICAST_IF && option <= IPV6_ADD_MEMBERSHIP) ||
           (option >= MCAST_JOIN_GROUP && option <= MCAST_MSFILTER);
  return 0;
}

SRCSEL_INLINE void remember_mark(struct bpf_sockopt *ctx) {
  const __u32 *mark = ctx->optval;
  __u32 none = 0, stays = 0;
  __u32 *facts;

  /* Shorter ones the kernel refuses. */
  if (!ctx->sk || (const void *)(mark + 1) > ctx->optval_end) return;
  facts = bpf_sk_storage_get(&srcsel_facts, ctx->sk, &none, BPF_SK_STORAGE_GET_F_CREATE);
  if (!facts) return;
  if (*mark && ctx->sk->mark && srcsel_known(*facts, ctx->sk->mark) & SRCSEL_FACT_MARK)
    stays = SRCSEL_FACT_STAYS;
  *facts = (*facts & (0xffff & ~SRCSEL_FACT_STAYS)) | SRCSEL_FACT_MARK | stays |
           srcsel_mark_asked(*mark);
}

SEC("cgroup/setsockopt")
int srcsel_setsockopt(struct bpf_sockopt *ctx) {
  struct bpf_sock *sk = ctx->sk;
  __u32 mark;

  if (ctx->level == SOL_SOCKET && ctx->optname == SO_MARK) remember_mark(ctx);
  if (sk && is_for_groups(ctx->level, ctx->optname)) {
    mark = own_mark_removed(sk);
    if (mark != sk->mark) bpf_setsockopt(sk, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
  }
  /* Values longer than a page are not copied for programs; 0 has the kernel take the caller's. */
  if (ctx->optlen > (int)SRCSEL_PAGE) ctx->optlen = 0;
  return 1;
}
