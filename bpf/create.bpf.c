/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * create: marks a socket as it is created, where a rule holds whatever the destination will be.
 * For raw and ping sockets no other hook sees a sendto(); for UDP it makes the mark be there before
 * the first datagram. Streams wait for their connect(): most of them may be servers'.
 */
#include "hook.bpf.h"

SEC("cgroup/sock_create")
int srcsel_create(struct bpf_sock *ctx) {
  struct srcsel_flow flow = {.operation = SRCSEL_CREATE};
  struct srcsel_decision decision;
  const __u32 *facts;

  if (ctx->type == SOCK_STREAM) return 1;
  if (srcsel_nested) srcsel_remember(ctx, SRCSEL_FACT_HELD);
  facts = bpf_sk_storage_get(&srcsel_facts, ctx, 0, 0);
  if (facts && *facts & SRCSEL_FACT_HELD && !srcsel_nested) return 1;
  flow.family = ctx->family == AF_INET6 ? SRCSEL_V6 : SRCSEL_V4;
  flow.proto = (__u8)ctx->protocol;
  flow.mark = ctx->mark;
  flow.oif = ctx->bound_dev_if;
  flow.netns = bpf_get_netns_cookie(ctx);
  srcsel_decide_socket(&flow, &decision);
  if (!(decision.apply & SRCSEL_APPLY_MARK)) return 1;
  if (srcsel_nested) srcsel_remember(ctx, SRCSEL_FACT_INNER);
  ctx->mark = (flow.mark & ~decision.mark_mask) | decision.mark;
  /* Not counted: the connect() or the datagrams to come are. */
  if (srcsel_listening) srcsel_tell(ctx, &flow, &decision, 0);
  return 1;
}
