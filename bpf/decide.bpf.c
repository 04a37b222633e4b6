/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* decide: the engine, over the image in force. */
#include "engine/decide.h"

#include <linux/in6.h>

#include "hook.bpf.h"

SRCSEL_INLINE __u32 srcsel_turn(const struct srcsel_flow *flow, __u32 policy) {
  const __u32 pool = policy * SRCSEL_FAMILIES + (flow->family & 1);
  __u32 *turns = bpf_map_lookup_elem(&srcsel_turns, &pool);
  if (!turns) return 0;
  /* What another program has refused takes none. */
  return bpf_get_retval() ? *turns : __sync_fetch_and_add(turns, 1);
}

SRCSEL_INLINE void gather_caller(const struct srcsel_header *head, struct srcsel_flow *flow) {
  const __u32 inputs = head->inputs;

  if (inputs & SRCSEL_IN_UID) flow->uid = srcsel_caller_user();
  if (inputs & SRCSEL_IN_GID)
    flow->gid = srcsel_acting(srcsel_group_at, bpf_get_current_uid_gid() >> 32);
  if (inputs & SRCSEL_IN_CLASSID && srcsel_has_classes) flow->classid = bpf_get_cgroup_classid(0);
  if (inputs & SRCSEL_IN_COMM) bpf_get_current_comm(flow->comm, sizeof(flow->comm));
  if (inputs & SRCSEL_IN_CHANCE) flow->chance = bpf_get_prandom_u32();
  if (!(inputs & SRCSEL_IN_CGROUP)) return;
  SRCSEL_UNROLL
  for (__u32 i = 0; i < SRCSEL_CGROUPS; ++i)
    flow->cgroup[i] = bpf_get_current_ancestor_cgroup_id((int)head->cgroup_levels[i]);
}

/* The image in force, and its header; NULL if there is none. */
SRCSEL_INLINE srcsel_image open_image(const struct srcsel_header **head, struct srcsel_flow *flow) {
  const __u32 slot = 0;
  srcsel_image image = bpf_map_lookup_elem(&srcsel_images, &slot);

  *head = image ? srcsel_open(image) : 0;
  if (*head) gather_caller(*head, flow);
  return image;
}

SRCSEL_INLINE void gather_tos(struct bpf_sock_addr *ctx, struct srcsel_flow *flow) {
  const int v6 = flow->family == SRCSEL_V6;
  __u32 tos = 0;

  if (bpf_getsockopt(ctx, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, &tos,
                     sizeof(tos)))
    return;
  flow->dscp = (__u8)(tos >> 2 | tos << 6);
  flow->unknown &= ~(__u32)SRCSEL_IN_DSCP;
}

int srcsel_decide_flow(struct bpf_sock_addr *ctx, struct srcsel_flow *flow,
                       struct srcsel_decision *decision) {
  const struct srcsel_policy *policy;
  const struct srcsel_header *head;
  srcsel_image image;

  if (!flow || !decision) return 0;
  image = open_image(&head, flow);
  srcsel_undecided(head, decision);
  if (!head) return 0;
  /* A datagram may say another one in its control data. */
  if (head->inputs & SRCSEL_IN_DSCP && flow->operation == SRCSEL_CONNECT) gather_tos(ctx, flow);
  policy = srcsel_choose_rule(image, head, flow, decision);
  if (policy && srcsel_asks_netns(head, policy, flow)) flow->netns = bpf_get_netns_cookie(ctx);
  srcsel_act_by(image, head, policy, flow, decision);
  return 0;
}

__u32 srcsel_own_mark_in(__u32 mark) {
  struct srcsel_flow flow = {.mark = mark};
  const __u32 slot = 0;
  srcsel_image image = bpf_map_lookup_elem(&srcsel_images, &slot);
  const struct srcsel_header *head = image ? srcsel_open(image) : 0;

  return head ? srcsel_find_own_mark(image, head, &flow) : 0;
}

int srcsel_decide_socket(struct srcsel_flow *flow, struct srcsel_decision *decision) {
  const struct srcsel_header *head;
  srcsel_image image;

  if (!flow || !decision) return 0;
  image = open_image(&head, flow);
  srcsel_undecided(head, decision);
  if (head) srcsel_decide_creation(image, head, flow, decision);
  return 0;
}
