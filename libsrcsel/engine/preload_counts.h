/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * preload_counts.h: how often the preload came to each decision, as it lies in the memory of a
 * process: in the library's writable mapping, at a multiple of 64. Who may read that memory finds
 * it by its head; the process takes no part in it.
 */
#ifndef SRCSEL_ENGINE_PRELOAD_COUNTS_H
#define SRCSEL_ENGINE_PRELOAD_COUNTS_H

#include <srcsel/abi.h>

struct srcsel_preload_counts {
  char magic[8];
  __u32 version; /* SRCSEL_ABI_VERSION */
  __u32 reasons; /* SRCSEL_WHY_COUNT */
  __u64 of[SRCSEL_WHY_COUNT];
};

#define SRCSEL_PRELOAD_COUNTS_HEAD "srcsel#", SRCSEL_ABI_VERSION, SRCSEL_WHY_COUNT

#endif /* SRCSEL_ENGINE_PRELOAD_COUNTS_H */
