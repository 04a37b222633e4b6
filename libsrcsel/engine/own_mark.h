/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * own_mark.h: which bits of a socket's mark an earlier decision left there. They are nobody's wish:
 * the next decision sees the mark without them, replaces them, or takes them back, unless the
 * socket keeps the source that it got with them (decide.h).
 *
 * Contract: a mark that the application set itself is never taken for ours (SRCSEL_FACT_MARK). A
 * mark that came with the socket, and equals one that the policy sets, is. Cost: nothing for a
 * socket without a mark; else a step for each mark of the policy.
 */
#ifndef SRCSEL_ENGINE_OWN_MARK_H
#define SRCSEL_ENGINE_OWN_MARK_H

#include "engine/platform.h"

struct srcsel_own_search {
  srcsel_image image;
  const struct srcsel_header *head;
  __u32 mark;
  __u32 own;
};

static long srcsel_own_step(__u32 index, void *context) {
  struct srcsel_own_search *s = (struct srcsel_own_search *)context;
  const struct srcsel_own_mark *own = (const struct srcsel_own_mark *)srcsel_object(
      s->image, s->head->own_marks.page, index, sizeof(*own));

  if (!own) return 1;
  if ((s->mark & own->mark_mask) != own->mark) return 0;
  s->own = own->mark_mask;
  return 1;
}

SRCSEL_FN __u32 srcsel_search_own_mark(srcsel_image image, const struct srcsel_header *head,
                                       __u32 mark) {
  struct srcsel_own_search s;

  s.image = image;
  s.head = head;
  s.mark = mark;
  s.own = 0;
  srcsel_loop(head->own_marks.count, srcsel_own_step, &s);
  return s.own;
}

/* The mask of the own mark that the flow's socket has, 0 if it has none. */
SRCSEL_INLINE __u32 srcsel_find_own_mark(srcsel_image image, const struct srcsel_header *head,
                                         const struct srcsel_flow *flow) {
  if (!flow->mark || flow->facts & SRCSEL_FACT_MARK) return 0;
  return srcsel_search_own_mark(image, head, flow->mark);
}

/* The flow's mark without it. */
SRCSEL_INLINE __u32 srcsel_app_mark(srcsel_image image, const struct srcsel_header *head,
                                    const struct srcsel_flow *flow) {
  return flow->mark & ~srcsel_find_own_mark(image, head, flow);
}

#endif /* SRCSEL_ENGINE_OWN_MARK_H */
