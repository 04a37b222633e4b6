/*
 * counts.h: how often each decision was made, and how often what was decided could not be done:
 * then the reason says so ("no-port", "refused", "ambiguous"). A child of fork() counts on from
 * what its parent had. `srcsel identify` reads them from outside; with SRCSEL_DEBUG the process
 * says them at its end.
 *
 * Cost: an atomic addition.
 */
#ifndef SRCSEL_PRELOAD_COUNTS_H
#define SRCSEL_PRELOAD_COUNTS_H

#include <srcsel/abi.h>

void srcsel_count(__u32 reason);

/* By reason, SRCSEL_WHY_COUNT of them. */
const __u64 *srcsel_counts(void);

#endif /* SRCSEL_PRELOAD_COUNTS_H */
