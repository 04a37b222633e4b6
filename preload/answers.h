/*
 * answers.h: which of the host's addresses each peer of a UDP server last asked.
 *
 * A fixed table that newer peers overwrite, keyed by the kernel's number of the socket (SO_COOKIE),
 * which no descriptor of another socket will ever have, and the peer. An entry is written and read
 * without a lock; what is caught half written is as good as not there.
 *
 * Cost: one system call, one cache line.
 */
#ifndef SRCSEL_PRELOAD_ANSWERS_H
#define SRCSEL_PRELOAD_ANSWERS_H

#include "socket.h"

/* `local` is a wire address of the peer's family. What is no address to answer from (multicast,
 * link-local) is not remembered. */
void srcsel_remember_answer(int fd, const union srcsel_name *peer, const __u8 *local);

/* Whether it is known, and then which; IPv4-mapped where the peer is. */
int srcsel_find_answer(int fd, const union srcsel_name *peer, __u8 *local);

/* Whether the socket is of UDP, bound to a port of any address and not connected; its own name. */
int srcsel_is_server(int fd, union srcsel_name *own);

#endif /* SRCSEL_PRELOAD_ANSWERS_H */
