/*
 * calls.h: the calls that the preload stands in front of, once.
 *
 * X(result, name, parameters, arguments, raw): `raw` is the same call without libc, for as long as
 * libc's own function is not known: before the constructor has run. preload.map exports these names
 * and no other.
 */
#ifndef SRCSEL_PRELOAD_CALLS_H
#define SRCSEL_PRELOAD_CALLS_H

#include <sys/socket.h>

#include "raw.h"

#define SRCSEL_CALLS(X)                                                                        \
  X(int, bind, (int fd, const struct sockaddr *name, socklen_t size), (fd, name, size),        \
    SRCSEL_RAW3(SYS_bind, fd, name, size))                                                     \
  X(int, connect, (int fd, const struct sockaddr *name, socklen_t size), (fd, name, size),     \
    SRCSEL_RAW3(SYS_connect, fd, name, size))                                                  \
  X(ssize_t, sendto,                                                                           \
    (int fd, const void *bytes, size_t count, int flags, const struct sockaddr *name,          \
     socklen_t size),                                                                          \
    (fd, bytes, count, flags, name, size),                                                     \
    SRCSEL_RAW6(SYS_sendto, fd, bytes, count, flags, name, size))                              \
  X(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags), \
    SRCSEL_RAW3(SYS_sendmsg, fd, message, flags))                                              \
  X(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags),              \
    (fd, messages, count, flags), SRCSEL_RAW4(SYS_sendmmsg, fd, messages, count, flags))       \
  X(ssize_t, recvfrom,                                                                         \
    (int fd, void *bytes, size_t count, int flags, struct sockaddr *name, socklen_t *size),    \
    (fd, bytes, count, flags, name, size),                                                     \
    SRCSEL_RAW6(SYS_recvfrom, fd, bytes, count, flags, name, size))                            \
  X(ssize_t, __recvfrom_chk,                                                                   \
    (int fd, void *bytes, size_t count, size_t room, int flags, struct sockaddr *name,         \
     socklen_t *size),                                                                         \
    (fd, bytes, count, room, flags, name, size),                                               \
    ((void)room, SRCSEL_RAW6(SYS_recvfrom, fd, bytes, count, flags, name, size)))              \
  X(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags),       \
    SRCSEL_RAW3(SYS_recvmsg, fd, message, flags))                                              \
  X(int, recvmmsg,                                                                             \
    (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout),   \
    (fd, messages, count, flags, timeout),                                                     \
    SRCSEL_RAW5(SYS_recvmmsg, fd, messages, count, flags, timeout))                            \
  X(long, syscall, (long number, long a, long b, long c, long d, long e, long f),              \
    (number, a, b, c, d, e, f), srcsel_raw(number, a, b, c, d, e, f))

/* What the names lead to without the preload. */
#define SRCSEL_MEMBER(result, name, parameters, arguments, raw) result(*name) parameters;
struct srcsel_libc {
  SRCSEL_CALLS(SRCSEL_MEMBER)
};
#undef SRCSEL_MEMBER
extern struct srcsel_libc srcsel_libc;

/* Finds libc's functions, or those of whoever else stands in front of them. For the constructor. */
void srcsel_find_libc(void);

/* The calling thread's errno. */
int *srcsel_errno(void);

#endif /* SRCSEL_PRELOAD_CALLS_H */
