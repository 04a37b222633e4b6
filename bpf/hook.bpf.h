/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hook.bpf.h: what every hook does around the engine: gather the flow, count and tell the decision.
 *
 * A hook never fails a call unless the policy says so: whatever happens here, the program
 * returns 1.
 */
#ifndef SRCSEL_HOOK_BPF_H
#define SRCSEL_HOOK_BPF_H

#include <asm/errno.h>
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "engine/key.h"
#include "maps.bpf.h"

/* <sys/socket.h> is not for BPF; these are ABI on every architecture we build for. */
#define AF_INET 2
#define AF_INET6 10
#define SOL_SOCKET 1
#define SO_REUSEADDR 2
#define SO_BROADCAST 6
#define SO_MARK 36
#define SOCK_STREAM 1

/*
 * Completes the flow by what the policy asks of the caller, and decides (decide.bpf.c). A function
 * that the verifier checks by itself: what it found out about a decision would otherwise have it
 * check all that follows once for every way through the engine.
 */
int srcsel_decide_flow(struct bpf_sock_addr *ctx, struct srcsel_flow *flow,
                       struct srcsel_decision *decision);

/* The same for SRCSEL_CREATE, which is much less to check. */
int srcsel_decide_socket(struct srcsel_flow *flow, struct srcsel_decision *decision);

/* Which bits of a socket's mark an earlier decision set, if it is not one of the application's. */
__u32 srcsel_own_mark_in(__u32 mark);

/* Adds to what is known of a socket. */
SRCSEL_FN int srcsel_remember(struct bpf_sock *sk, __u32 fact) {
  __u32 none = 0;
  __u32 *facts;

  if (!sk) return 0;
  facts = bpf_sk_storage_get(&srcsel_facts, sk, &none, BPF_SK_STORAGE_GET_F_CREATE);
  if (facts) *facts |= fact;
  return 0;
}

/*
 * What is remembered with SRCSEL_FACT_MARK, in the upper half: which mark the application asked
 * for last, folded. The kernel may refuse it still (EPERM), and no program hears of that; so a
 * socket that has another mark, or none, was not marked by the application, unless it was before
 * (SRCSEL_FACT_STAYS).
 */
SRCSEL_INLINE __u32 srcsel_mark_asked(__u32 mark) {
  return (mark ^ mark << 16) & 0xffff0000;
}

/* What is known of a socket with that mark: of a mark that is not there, nothing. */
SRCSEL_INLINE __u32 srcsel_known(__u32 remembered, __u32 mark) {
  const __u32 other = (remembered ^ srcsel_mark_asked(mark)) >> 16;
  const __u32 there =
      srcsel_is_zero(other & (srcsel_is_zero(remembered & SRCSEL_FACT_STAYS) * 0xffff));

  return remembered & (0xffff & ~((there ^ 1) * SRCSEL_FACT_MARK));
}

/* Whether the socket is a matter of hooks further down, which run first. */
SRCSEL_INLINE __u32 srcsel_is_others(__u32 facts) {
  return facts & SRCSEL_FACT_INNER && !srcsel_nested;
}

/*
 * The parts of a flow that do not depend on the family of the hook. By arithmetic, not by branches:
 * every branch here would have the verifier walk the engine once more.
 *
 * SRCSEL_FACT_LEFT is the caller's to fill in: the socket has an address.
 *
 * Of a UDP socket the source port is unknown until it has one: it gets it before the first lookup
 * (ip4_datagram_connect), where TCP gets it after (tcp_v4_connect).
 */
SRCSEL_INLINE void srcsel_gather(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
                                 struct srcsel_flow *flow) {
  const __u32 bound = flow->facts & SRCSEL_FACT_LEFT;
  const __u32 *remembered = 0;
  __u64 portless;

  /* A mark or an address tells that somebody was here; nothing else tells an old socket. */
  if (sk->mark | bound | srcsel_minds_old) remembered = bpf_sk_storage_get(&srcsel_facts, sk, 0, 0);

  flow->proto = ctx->protocol;
  flow->dport = bpf_ntohs((__u16)ctx->user_port);
  flow->mark = sk->mark;
  flow->oif = sk->bound_dev_if;
  flow->sport = sk->src_port;
  portless = srcsel_is_zero(flow->sport);
  flow->facts |= (portless ^ 1) * SRCSEL_FACT_PORT;
  /* What bind() was asked for and refused is no source. */
  if (remembered)
    flow->facts |= srcsel_known(*remembered, sk->mark) & ~(bound ? 0 : SRCSEL_FACT_SOURCE);
  flow->unknown = SRCSEL_IN_UID | SRCSEL_IN_DSCP | SRCSEL_IN_LABEL | SRCSEL_IN_OPAQUE |
                  (portless & srcsel_is_zero(flow->proto ^ IPPROTO_UDP)) * SRCSEL_IN_SPORT;
}

/* The user or the group that the caller acts under, found at that place of its credentials; `real`
 * where that cannot be told. */
SRCSEL_FN __u32 srcsel_acting(__u32 at, __u32 real) {
  __u64 cred = 0;
  __u32 id = 0;

  if (!srcsel_cred_at) return real;
  if (bpf_probe_read_kernel(&cred, sizeof(cred),
                            (const void *)(bpf_get_current_task() + srcsel_cred_at)))
    return real;
  return bpf_probe_read_kernel(&id, sizeof(id), (const void *)(cred + at)) ? real : id;
}

SRCSEL_INLINE __u32 srcsel_caller_user(void) {
  return srcsel_acting(srcsel_user_at, (__u32)bpf_get_current_uid_gid());
}

SRCSEL_FN int srcsel_tell(void *ctx, const struct srcsel_flow *flow,
                          const struct srcsel_decision *decision, long error) {
  struct srcsel_event *event = bpf_ringbuf_reserve(&srcsel_events, sizeof(*event), 0);
  const __u64 pid_tid = bpf_get_current_pid_tgid();

  if (!event) {
    __sync_fetch_and_add(&srcsel_dropped, 1);
    return 0;
  }
  event->time_ns = bpf_ktime_get_boot_ns();
  event->socket = bpf_get_socket_cookie(ctx);
  event->cgroup = bpf_get_current_cgroup_id();
  event->pid = pid_tid >> 32;
  event->tid = (__u32)pid_tid;
  event->error = (__s32)error;
  event->zero = 0;
  event->flow = *flow;
  event->flow.netns = bpf_get_netns_cookie(ctx);
  event->flow.uid = srcsel_caller_user();
  bpf_get_current_comm(event->flow.comm, sizeof(event->flow.comm));
  event->decision = *decision;
  bpf_ringbuf_submit(event, 0);
  return 0;
}

SRCSEL_INLINE void srcsel_count(const struct srcsel_decision *decision, __u32 failed) {
  struct srcsel_tally *tally = bpf_map_lookup_elem(&srcsel_tallies, &decision->policy);
  __u64 *counter = bpf_map_lookup_elem(&srcsel_counters, &decision->reason);

  if (counter) ++*counter;
  if (!tally) return;
  tally->matched += 1;
  tally->applied += !failed & (decision->apply != 0);
  tally->failed += failed;
}

/* Counts what was decided and became of it; tells it if it changed something or failed, or if the
 * reader wants all. */
SRCSEL_INLINE void srcsel_report(void *ctx, const struct srcsel_flow *flow,
                                 const struct srcsel_decision *decision, long error) {
  srcsel_count(decision, error != 0);
  if (srcsel_listening > (decision->apply == 0 && error == 0))
    srcsel_tell(ctx, flow, decision, error);
}

/* Whether the socket is to get another mark than it has. */
SRCSEL_INLINE __u32 srcsel_remarks(const struct srcsel_flow *flow,
                                   const struct srcsel_decision *decision) {
  return decision->apply & SRCSEL_APPLY_MARK && (flow->mark ^ decision->mark) & decision->mark_mask;
}

/* Sets the decision's mark, if there is one to set. 0, or the -errno with which the kernel refused.
 */
SRCSEL_INLINE long srcsel_set_mark(struct bpf_sock_addr *ctx, const struct srcsel_flow *flow,
                                   const struct srcsel_decision *decision) {
  __u32 mark = (flow->mark & ~decision->mark_mask) | decision->mark;

  if (!srcsel_remarks(flow, decision)) return 0;
  return bpf_setsockopt(ctx, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
}

/* The program's answer to a call that failed with `error`, or did not. */
SRCSEL_INLINE int srcsel_verdict(const struct srcsel_decision *decision, long error) {
  if (!error || !(decision->apply & SRCSEL_APPLY_REJECT)) return 1;
  bpf_set_retval((int)error);
  return 0;
}

#endif /* SRCSEL_HOOK_BPF_H */
