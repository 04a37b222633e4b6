/*
 * apply.h: what a decision does to a socket before connect(), and to a datagram that has none.
 *
 * Contract: the caller's call goes on as without the preload if anything here fails, unless the
 * policy says `on-fail = "reject"`: then it fails, with the errno that is returned.
 */
#ifndef SRCSEL_PRELOAD_APPLY_H
#define SRCSEL_PRELOAD_APPLY_H

#include <stddef.h>

#include "environment.h"
#include "socket.h"

/* Before connect(). 0, or the errno to fail with. `bound`: a stream was given an address, which is
 * to be signed (socket.h) unless connect() succeeds. */
int srcsel_before_connect(int fd, const struct sockaddr *name, socklen_t size, int *bound);

/* What goes with a datagram as control data. */
struct srcsel_control {
  size_t size; /* 0: nothing */
  int reject;  /* the datagram must not leave without it */
  unsigned char bytes[72] __attribute__((aligned(8)));
};

/* For a datagram about to be sent to `name`. 0, or the errno to fail with. */
int srcsel_before_datagram(int fd, const struct sockaddr *name, socklen_t size,
                           struct srcsel_control *control);

/* Whether the message has a source, a device or a mark by its own control data, or more of that
 * than is looked through. */
int srcsel_has_own_source(const struct msghdr *message);

#endif /* SRCSEL_PRELOAD_APPLY_H */
