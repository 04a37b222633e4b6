/*
 * image.h: the image in force, mapped from a file that is replaced by rename().
 *
 * HOW IT IS EXCHANGED
 *   There are two places in memory for an image and a sequence number whose lowest bit says which
 * of them holds. Who publishes an image says so in the one it replaces (srcsel_header.superseded),
 * and every decision looks there; besides, the file's name is looked at every tenth of a second,
 * for those who replace it by other means. Whoever finds another file there maps it into the place
 * not in use and raises the number. One thread at a time does so; the others go on with what they
 * have and wait for nobody. A reader that finds the number unchanged after its decision has seen
 * one whole image; else it decides again. The next exchange writes where the last but one image
 * was, so a reader must be overtaken twice to see half of something, and then decides again too.
 *
 *   A place, once reserved, is never unmapped: a smaller image leaves zeros behind it, a larger one
 *   gets a place twice as large and the old one becomes zeros. No reader, however late, touches
 *   memory that is not there. What is lost that way is less address space than the largest image
 *   takes, twice.
 *
 *   There are no counts of readers and no locks, so that nothing has to be mended after fork(): the
 *   child has the mapping of its parent. If fork() catches another thread at an exchange, that
 *   thread does not exist in the child; its number in `exchanging` is one that the kernel does not
 *   know there, and the next exchange takes over. A signal handler that interrupts an exchange sees
 *   the image before it.
 *
 * WHICH FILE
 *   One that root or the caller owns and nobody else can write. It may not be truncated while
 *   mapped; who writes images never does. Where the name leads nowhere any more (chroot()), or to a
 *   file that this process may not read now, the image last seen still says what the policy is, but
 *   not what the routes are: it is `cut_off`.
 *
 * Cost: a clock_gettime() of 50 ns; an exchange 5 us.
 */
#ifndef SRCSEL_PRELOAD_IMAGE_H
#define SRCSEL_PRELOAD_IMAGE_H

#include "engine/platform.h"

struct srcsel_view {
  struct srcsel_memory memory;
  __u32 sequence;
  int cut_off;
};

/* The image at `path`; 0 if there is none. `lasting`: it stays in force where the name leads
 * nowhere any more. There is one path in the life of a process. */
int srcsel_see_image(const char *path, int lasting, struct srcsel_view *view);

/* Whether all that was read through the view since then is of one image. */
int srcsel_still_seen(const struct srcsel_view *view);

#endif /* SRCSEL_PRELOAD_IMAGE_H */
