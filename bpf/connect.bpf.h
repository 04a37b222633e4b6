/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * connect.bpf.h: what both connect hooks do: connect() of every protocol, MSG_FASTOPEN,
 * TCP_FASTOPEN_CONNECT and io_uring. The includer defines
 *
 *   long srcsel_bind(ctx, flow, decision, port)
 *
 * which binds the socket to the decision's source and that port; port 0 is chosen by the kernel,
 * later.
 */
#ifndef SRCSEL_CONNECT_BPF_H
#define SRCSEL_CONNECT_BPF_H

#include "ports.bpf.h"

/* 0, or the -errno with which something could not be applied; the decision's reason then says so.
 */
SRCSEL_INLINE long srcsel_apply(struct bpf_sock_addr *ctx, const struct srcsel_flow *flow,
                                struct srcsel_decision *decision) {
  long error = srcsel_set_mark(ctx, flow, decision);

  if (!error && decision->apply & SRCSEL_APPLY_PORTS) {
    error = srcsel_bind_port(ctx, flow, decision);
    if (!error) return 0;
    decision->reason = SRCSEL_WHY_NO_PORT;
    if (decision->apply & SRCSEL_APPLY_REJECT) return error;
    srcsel_bind(ctx, flow, decision, 0);
    return error;
  }
  if (!error && decision->apply & SRCSEL_APPLY_SOURCE) error = srcsel_bind(ctx, flow, decision, 0);
  if (error) decision->reason = SRCSEL_WHY_REFUSED;
  return error;
}

/* Decides for a flow whose family, destination and SRCSEL_FACT_LEFT the caller has filled in, and
 * applies it. */
SRCSEL_INLINE int srcsel_connect(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
                                 struct srcsel_flow *flow) {
  struct srcsel_decision decision;
  long error;

  srcsel_gather(ctx, sk, flow);
  if (srcsel_is_others(flow->facts)) return 1;
  srcsel_decide_flow(ctx, flow, &decision);
  /* What another program has refused leaves nothing on the socket, and is no news. */
  if ((decision.apply || srcsel_listening) && bpf_get_retval()) return 1;
  error = -(long)decision.error;
  if (!error) error = srcsel_apply(ctx, flow, &decision);
  if (srcsel_nested && decision.apply) srcsel_remember(sk, SRCSEL_FACT_INNER);
  srcsel_report(ctx, flow, &decision, error);
  return srcsel_verdict(&decision, error);
}

#endif /* SRCSEL_CONNECT_BPF_H */
