/*
 * ask_kernel.h: the kernel's own answer to which way a flow goes and with which source, where there
 * is no image, or none that knows the routes.
 *
 * One RTM_GETROUTE on a socket that lives no longer than the question: nothing is held open that a
 * program could close, inherit or count. It asks what the first lookup of a connect() will ask.
 *
 * Cost: 3 us, nearly all of it the socket's.
 */
#ifndef SRCSEL_PRELOAD_ASK_KERNEL_H
#define SRCSEL_PRELOAD_ASK_KERNEL_H

#include <srcsel/abi.h>

struct srcsel_kernel_route {
  int error; /* -errno of the lookup; 1: the kernel could not be asked */
  __u32 oif, table;
  __u8 type; /* RTN_* */
  int has_source;
  __u8 source[16]; /* wire address */
};

/* For `flow` if its mark were `mark`. The owner is that of the socket `fd`. Fails where the socket
 * is of another network namespace than the caller. */
void srcsel_ask_kernel(int fd, const struct srcsel_flow *flow, __u32 mark,
                       struct srcsel_kernel_route *route);

#endif /* SRCSEL_PRELOAD_ASK_KERNEL_H */
