/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* classify.h: which rule of the policy holds for a flow. The first match wins. */
#ifndef SRCSEL_ENGINE_CLASSIFY_H
#define SRCSEL_ENGINE_CLASSIFY_H

#include "engine/key.h"

struct srcsel_classifying {
  srcsel_image image;
  const struct srcsel_flow *flow;
  __u32 page;
  __u32 found;
};

SRCSEL_INLINE __u64 srcsel_comm_differs(const char *comm, const char *wanted) {
  const __u64 *a = (const __u64 *)(const void *)comm;
  const __u64 *b = (const __u64 *)(const void *)wanted;
  return (a[0] ^ b[0]) | (a[1] ^ b[1]);
}

static long srcsel_classify_step(__u32 index, void *context) {
  struct srcsel_classifying *c = (struct srcsel_classifying *)context;
  const struct srcsel_flow *flow = c->flow;
  const struct srcsel_policy *p;
  __u64 miss;

  p = (const struct srcsel_policy *)srcsel_object(c->image, c->page, index, sizeof(*p));
  if (!p) return 1;
  miss = srcsel_outside(&flow->dst, &p->to) | !(p->families >> (flow->family & 1) & 1);
  srcsel_settle(miss);
  miss |= p->proto ? p->proto ^ flow->proto : 0;
  srcsel_settle(miss);
  miss |= srcsel_beyond(flow->dport, p->dport_first, p->dport_last);
  srcsel_settle(miss);
  miss |= srcsel_beyond(flow->uid, p->uid_first, p->uid_last);
  srcsel_settle(miss);
  miss |= p->inputs & SRCSEL_IN_CGROUP ? p->cgroup ^ flow->cgroup : 0;
  miss |= p->inputs & SRCSEL_IN_COMM ? srcsel_comm_differs(flow->comm, p->comm) : 0;
  if (miss) return 0;
  c->found = index;
  return 1;
}

/* Index of the rule, or SRCSEL_NONE if none holds: the kernel chooses. */
SRCSEL_FN __u32 srcsel_classify(srcsel_image image, const struct srcsel_header *head,
                                const struct srcsel_flow *flow) {
  struct srcsel_classifying c;

  c.image = image;
  c.flow = flow;
  c.page = head->policy.page;
  c.found = SRCSEL_NONE;
  srcsel_loop(head->policy.count, srcsel_classify_step, &c);
  return c.found;
}

#endif /* SRCSEL_ENGINE_CLASSIFY_H */
