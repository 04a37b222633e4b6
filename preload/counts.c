#include "counts.h"

#include "engine/preload_counts.h"

static struct srcsel_preload_counts counts
    __attribute__((aligned(64))) = {SRCSEL_PRELOAD_COUNTS_HEAD, {0}};

void srcsel_count(__u32 reason) {
  if (reason < SRCSEL_WHY_COUNT) __atomic_fetch_add(&counts.of[reason], 1, __ATOMIC_RELAXED);
}

const __u64 *srcsel_counts(void) {
  return counts.of;
}
