/*
 * receive.h: answers of a UDP server leave from the address that the question came to, though the
 * server is bound to any address and knows nothing of it. Only with SRCSEL_REPLY_SOURCE.
 *
 * The first datagram received on such a socket makes it tell where datagrams were sent to
 * (IP_PKTINFO, IPV6_RECVPKTINFO); from then on the calls here receive that beside what the caller
 * asked for, keep it from the caller, and remember by socket and peer which of the host's addresses
 * was asked (answers.h). What is sent to that peer then leaves from there.
 *
 * A socket whose program has asked for that itself is left alone.
 */
#ifndef SRCSEL_PRELOAD_RECEIVE_H
#define SRCSEL_PRELOAD_RECEIVE_H

#include "calls.h"
#include "socket.h"

ssize_t srcsel_recvfrom(const struct srcsel_libc *how, int fd, void *bytes, size_t count, int flags,
                        struct sockaddr *name, socklen_t *size);
ssize_t srcsel_recvmsg(const struct srcsel_libc *how, int fd, struct msghdr *message, int flags);
int srcsel_recvmmsg(const struct srcsel_libc *how, int fd, struct mmsghdr *messages, unsigned count,
                    int flags, struct timespec *timeout);

#endif /* SRCSEL_PRELOAD_RECEIVE_H */
