/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hook.bpf.h: what every connect hook does around the engine: gather the flow, decide, apply,
 * count, tell.
 *
 * A hook never fails a connection: whatever happens here, the program returns 1.
 */
#ifndef SRCSEL_HOOK_BPF_H
#define SRCSEL_HOOK_BPF_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "engine/decide.h"
#include "maps.bpf.h"

/* <sys/socket.h> is not for BPF; these are ABI on every architecture we build for. */
#define AF_INET 2
#define AF_INET6 10
#define SOL_SOCKET 1
#define SO_MARK 36

/* Binds the socket to the decision's source with port 0. */
typedef long (*srcsel_bind_fn)(struct bpf_sock_addr *ctx, const struct srcsel_flow *flow,
                               const struct srcsel_decision *decision);

/*
 * The parts of a flow that do not depend on the family of the hook. By arithmetic, not by branches:
 * every branch here would have the verifier walk the engine once more.
 *
 * Of a UDP socket the source port is unknown until it has one: it gets it before the first lookup
 * (ip4_datagram_connect), where TCP gets it after (tcp_v4_connect).
 */
SRCSEL_INLINE void srcsel_gather(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
                                 const struct srcsel_header *head, struct srcsel_flow *flow) {
  const __u32 inputs = head->inputs;
  __u64 portless;

  flow->netns = bpf_get_netns_cookie(ctx);
  flow->proto = ctx->protocol;
  flow->dport = bpf_ntohs((__u16)ctx->user_port);
  flow->mark = sk->mark;
  flow->oif = sk->bound_dev_if;
  flow->sport = sk->src_port;
  portless = srcsel_is_zero(flow->sport);
  flow->facts = (portless ^ 1) * SRCSEL_FACT_PORT;
  flow->unknown = SRCSEL_IN_UID | SRCSEL_IN_DSCP | SRCSEL_IN_LABEL | SRCSEL_IN_OPAQUE |
                  (portless & srcsel_is_zero(flow->proto ^ IPPROTO_UDP)) * SRCSEL_IN_SPORT;
  if (inputs & SRCSEL_IN_UID) flow->uid = (__u32)bpf_get_current_uid_gid();
  if (inputs & SRCSEL_IN_CGROUP) flow->cgroup = bpf_get_current_cgroup_id();
  if (inputs & SRCSEL_IN_COMM) bpf_get_current_comm(flow->comm, sizeof(flow->comm));
}

/* A source that is there but was not bound by the application is left from an earlier connect. */
SRCSEL_INLINE void srcsel_note_source(struct bpf_sock *sk, struct srcsel_flow *flow) {
  const __u32 *bound = bpf_sk_storage_get(&srcsel_bound, sk, 0, 0);

  if (bound) flow->facts |= *bound & SRCSEL_FACT_SOURCE;
}

SRCSEL_INLINE long srcsel_apply(struct bpf_sock_addr *ctx, const struct srcsel_flow *flow,
                                const struct srcsel_decision *decision, srcsel_bind_fn bind) {
  __u32 mark = (flow->mark & ~decision->mark_mask) | decision->mark;
  long error = 0;

  if (decision->apply & SRCSEL_APPLY_MARK && mark != flow->mark)
    error = bpf_setsockopt(ctx, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
  if (!error && decision->apply & SRCSEL_APPLY_SOURCE) error = bind(ctx, flow, decision);
  return error;
}

SRCSEL_FN int srcsel_tell(struct bpf_sock_addr *ctx, const struct srcsel_header *head,
                          const struct srcsel_flow *flow, const struct srcsel_decision *decision,
                          long error) {
  struct srcsel_event *event = bpf_ringbuf_reserve(&srcsel_events, sizeof(*event), 0);
  const __u64 pid_tid = bpf_get_current_pid_tgid();

  if (!event) return 0;
  event->time_ns = bpf_ktime_get_boot_ns();
  event->generation = head->generation;
  event->socket = bpf_get_socket_cookie(ctx);
  event->pid = pid_tid >> 32;
  event->tid = (__u32)pid_tid;
  event->error = (__s32)error;
  event->zero = 0;
  event->flow = *flow;
  event->flow.uid = (__u32)bpf_get_current_uid_gid();
  event->flow.cgroup = bpf_get_current_cgroup_id();
  bpf_get_current_comm(event->flow.comm, sizeof(event->flow.comm));
  event->decision = *decision;
  bpf_ringbuf_submit(event, 0);
  return 0;
}

SRCSEL_INLINE void srcsel_count(__u32 reason) {
  __u64 *counter = bpf_map_lookup_elem(&srcsel_counters, &reason);
  if (counter) ++*counter;
}

/* Decides for a flow whose family and destination the caller has filled in, and applies it.
 * `source` is non-zero if the socket has a local address. */
SRCSEL_INLINE void srcsel_run(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
                              struct srcsel_flow *flow, __u32 source, srcsel_bind_fn bind) {
  const __u32 slot = 0;
  struct srcsel_decision decision;
  const struct srcsel_header *head;
  srcsel_image image = bpf_map_lookup_elem(&srcsel_images, &slot);
  long error;

  head = image ? srcsel_open(image) : 0;
  if (!head) {
    srcsel_count(SRCSEL_WHY_NO_IMAGE);
    return;
  }
  srcsel_gather(ctx, sk, head, flow);
  if (source) srcsel_note_source(sk, flow);
  srcsel_decide(image, head, flow, &decision);
  error = srcsel_apply(ctx, flow, &decision, bind);
  if (error) decision.reason = SRCSEL_WHY_REFUSED;
  srcsel_count(decision.reason);
  if (srcsel_listening) srcsel_tell(ctx, head, flow, &decision, error);
}

#endif /* SRCSEL_HOOK_BPF_H */
