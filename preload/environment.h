/*
 * environment.h: what the preload is told to do, read once from the environment.
 *
 *   SRCSEL_IMAGE   path of a compiled image; it is all the policy there is
 *   SRCSEL_MARK    V[/M], decimal or 0x
 *   SRCSEL_SOURCE  an address, or one a family separated by a comma
 *   SRCSEL_PORTS   A-B
 *   SRCSEL_REPLY_SOURCE, SRCSEL_DEBUG   on unless empty or "0"
 *
 * If none of the first four is set, the words of others are taken: DEVICE, SRCIP, FWMARK (mwan3),
 * BIND_ADDR (bind.so), BIND_INTERFACE, BIND_SOURCE_IP, BIND_EXCLUDE (BindToInterface). If there are
 * none either, the image that `srcsel up` publishes is followed, once there is one.
 *
 * A word that cannot be understood is as good as not there, and what it would have done is not
 * done. With secure execution (set-uid, file capabilities) nothing is read at all.
 *
 * Reading is safe in any context that getenv() is; it happens at the first call or in the
 * constructor, whichever is earlier. Whoever comes meanwhile finds nothing to do.
 */
#ifndef SRCSEL_PRELOAD_ENVIRONMENT_H
#define SRCSEL_PRELOAD_ENVIRONMENT_H

#include <net/if.h>

#include "engine/platform.h"

#define SRCSEL_EXCLUDES 32

enum srcsel_told {
  SRCSEL_TOLD_NOTHING,
  SRCSEL_TOLD_IMAGE, /* by `path` */
  SRCSEL_TOLD_WORDS, /* by `words`, an image without routes */
};

struct srcsel_environment {
  int told; /* enum srcsel_told */
  int lasting, reply_source, debug;
  char path[512];
  struct srcsel_memory words;
  char device[IF_NAMESIZE]; /* to bind to; empty: none */
  int excludes;
  struct {
    __u32 address, mask;
  } exclude[SRCSEL_EXCLUDES]; /* IPv4 destinations that are left alone, host order */
};

/* What was read, reading it now if need be; NULL if there is nothing to do. */
const struct srcsel_environment *srcsel_environment(void);

#endif /* SRCSEL_PRELOAD_ENVIRONMENT_H */
