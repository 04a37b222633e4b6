/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * datagram.bpf.h: what both sendmsg hooks do: sendto(), sendmsg() and sendmmsg() of UDP with an
 * address. The source is that of this very datagram; a mark acts from the next one on, so this one
 * leaves by the right device only if the socket has its mark already, if netfilter sets it, or if
 * an ip rule goes by the source. The includer defines srcsel_send_from(ctx, source).
 */
#ifndef SRCSEL_DATAGRAM_BPF_H
#define SRCSEL_DATAGRAM_BPF_H

#include "hook.bpf.h"

SRCSEL_INLINE long srcsel_apply(struct bpf_sock_addr *ctx, const struct srcsel_flow *flow,
                                struct srcsel_decision *decision) {
  const long error = srcsel_set_mark(ctx, flow, decision);

  if (error) {
    decision->reason = SRCSEL_WHY_REFUSED;
    return error;
  }
  if (decision->apply & (SRCSEL_APPLY_SOURCE | SRCSEL_APPLY_PORTS))
    srcsel_send_from(ctx, decision->source);
  if (!(decision->apply & SRCSEL_APPLY_PORTS)) return 0;
  decision->reason = SRCSEL_WHY_NO_PORT;
  return -EADDRNOTAVAIL;
}

/* Of a datagram's source, 0 if it has none, and in what it differs from the socket's: it is in the
 * control data, or the socket's own. A connected socket hears only at its own, and keeps it. */
SRCSEL_INLINE __u8 srcsel_source_facts(struct bpf_sock *sk, __u32 source, __u32 differs) {
  if (!source) return 0;
  if (sk->state == BPF_TCP_ESTABLISHED) return SRCSEL_FACT_SOURCE | SRCSEL_FACT_LEFT;
  return differs ? SRCSEL_FACT_SOURCE : SRCSEL_FACT_LEFT;
}

/* Whether more comes of the decision than this datagram's source: nothing that another program has
 * refused may. */
SRCSEL_INLINE __u32 srcsel_outlasts(const struct srcsel_flow *flow,
                                    const struct srcsel_decision *decision) {
  return decision->apply & (SRCSEL_APPLY_PORTS | SRCSEL_APPLY_REJECT) ||
         srcsel_remarks(flow, decision);
}

/* What srcsel_source_facts() says is the caller's to fill in. */
SRCSEL_INLINE int srcsel_datagram(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
                                  struct srcsel_flow *flow) {
  struct srcsel_decision decision;
  long error;

  flow->operation = SRCSEL_DATAGRAM;
  srcsel_gather(ctx, sk, flow);
  if (srcsel_is_others(flow->facts)) return 1;
  srcsel_decide_flow(ctx, flow, &decision);
  if ((srcsel_outlasts(flow, &decision) || srcsel_listening) && bpf_get_retval()) return 1;
  error = -(long)decision.error;
  if (!error) error = srcsel_apply(ctx, flow, &decision);
  if (srcsel_nested && decision.apply) srcsel_remember(sk, SRCSEL_FACT_INNER);
  srcsel_report(ctx, flow, &decision, error);
  return srcsel_verdict(&decision, error);
}

#endif /* SRCSEL_DATAGRAM_BPF_H */
