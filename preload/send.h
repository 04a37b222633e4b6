/*
 * send.h: the calls that send, with what a decision adds to them.
 *
 * Contract: returns what libc's call returns, with its errno, which is untouched on success. Of the
 * caller's memory only what the call itself writes is written (mmsghdr.msg_len). A datagram that
 * the kernel refuses for its added source or mark is sent as the caller wrote it.
 *
 * `how` is libc's own call, so that libc's syscall() passes through the same code.
 */
#ifndef SRCSEL_PRELOAD_SEND_H
#define SRCSEL_PRELOAD_SEND_H

#include "calls.h"

int srcsel_connect(const struct srcsel_libc *how, int fd, const struct sockaddr *name,
                   socklen_t size);
ssize_t srcsel_sendto(const struct srcsel_libc *how, int fd, const void *bytes, size_t count,
                      int flags, const struct sockaddr *name, socklen_t size);
ssize_t srcsel_sendmsg(const struct srcsel_libc *how, int fd, const struct msghdr *message,
                       int flags);
int srcsel_sendmmsg(const struct srcsel_libc *how, int fd, struct mmsghdr *messages, unsigned count,
                    int flags);

#endif /* SRCSEL_PRELOAD_SEND_H */
