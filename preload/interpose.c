/*
 * interpose: what stands in front of libc. Each function does its part and calls on; calls that the
 * preload has nothing to do with are a jump.
 */
#include "apply.h"
#include "calls.h"
#include "debug.h"
#include "environment.h"
#include "image.h"
#include "receive.h"
#include "send.h"
#include "socket.h"

#define EXPORT __attribute__((visibility("default")))
#define DECLARE(result, name, parameters, arguments, raw) \
  EXPORT result entry_##name parameters __asm__(#name);
SRCSEL_CALLS(DECLARE)

/* The same calls by libc's syscall(). */
static int syscall_bind(int fd, const struct sockaddr *name, socklen_t size) {
  return (int)srcsel_libc.syscall(SYS_bind, fd, (long)name, size, 0, 0, 0);
}

static int syscall_connect(int fd, const struct sockaddr *name, socklen_t size) {
  return (int)srcsel_libc.syscall(SYS_connect, fd, (long)name, size, 0, 0, 0);
}

static ssize_t syscall_sendto(int fd, const void *bytes, size_t count, int flags,
                              const struct sockaddr *name, socklen_t size) {
  return srcsel_libc.syscall(SYS_sendto, fd, (long)bytes, (long)count, flags, (long)name, size);
}

static ssize_t syscall_sendmsg(int fd, const struct msghdr *message, int flags) {
  return srcsel_libc.syscall(SYS_sendmsg, fd, (long)message, flags, 0, 0, 0);
}

static int syscall_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  return (int)srcsel_libc.syscall(SYS_sendmmsg, fd, (long)messages, count, flags, 0, 0);
}

static ssize_t syscall_recvfrom(int fd, void *bytes, size_t count, int flags, struct sockaddr *name,
                                socklen_t *size) {
  return srcsel_libc.syscall(SYS_recvfrom, fd, (long)bytes, (long)count, flags, (long)name,
                             (long)size);
}

static ssize_t syscall_recvmsg(int fd, struct msghdr *message, int flags) {
  return srcsel_libc.syscall(SYS_recvmsg, fd, (long)message, flags, 0, 0, 0);
}

static int syscall_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                            struct timespec *timeout) {
  return (int)srcsel_libc.syscall(SYS_recvmmsg, fd, (long)messages, count, flags, (long)timeout, 0);
}

static const struct srcsel_libc by_syscall = {.bind = syscall_bind,
                                              .connect = syscall_connect,
                                              .sendto = syscall_sendto,
                                              .sendmsg = syscall_sendmsg,
                                              .sendmmsg = syscall_sendmmsg,
                                              .recvfrom = syscall_recvfrom,
                                              .recvmsg = syscall_recvmsg,
                                              .recvmmsg = syscall_recvmmsg};

int entry_bind(int fd, const struct sockaddr *name, socklen_t size) {
  if (srcsel_environment()) srcsel_forget(fd);
  return srcsel_libc.bind(fd, name, size);
}

int entry_connect(int fd, const struct sockaddr *name, socklen_t size) {
  return srcsel_connect(&srcsel_libc, fd, name, size);
}

ssize_t entry_sendto(int fd, const void *bytes, size_t count, int flags,
                     const struct sockaddr *name, socklen_t size) {
  if (!name) return srcsel_libc.sendto(fd, bytes, count, flags, name, size);
  return srcsel_sendto(&srcsel_libc, fd, bytes, count, flags, name, size);
}

ssize_t entry_sendmsg(int fd, const struct msghdr *message, int flags) {
  return srcsel_sendmsg(&srcsel_libc, fd, message, flags);
}

int entry_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  return srcsel_sendmmsg(&srcsel_libc, fd, messages, count, flags);
}

ssize_t entry_recvfrom(int fd, void *bytes, size_t count, int flags, struct sockaddr *name,
                       socklen_t *size) {
  return srcsel_recvfrom(&srcsel_libc, fd, bytes, count, flags, name, size);
}

/* What programs compiled with _FORTIFY_SOURCE call. More than the buffer holds is libc's to end. */
ssize_t entry___recvfrom_chk(int fd, void *bytes, size_t count, size_t room, int flags,
                             struct sockaddr *name, socklen_t *size) {
  if (count > room) return srcsel_libc.__recvfrom_chk(fd, bytes, count, room, flags, name, size);
  return srcsel_recvfrom(&srcsel_libc, fd, bytes, count, flags, name, size);
}

ssize_t entry_recvmsg(int fd, struct msghdr *message, int flags) {
  return srcsel_recvmsg(&srcsel_libc, fd, message, flags);
}

int entry_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                   struct timespec *timeout) {
  return srcsel_recvmmsg(&srcsel_libc, fd, messages, count, flags, timeout);
}

/*
 * Declared with six arguments, however many the caller gives: in the calling conventions at hand
 * these are the registers and the stack that a variadic function finds them in. All other numbers
 * are a jump, so that also a call that returns twice, or on another stack, is libc's own.
 */
long entry_syscall(long number, long a, long b, long c, long d, long e, long f) {
  switch (number) {
    case SYS_bind:
      if (srcsel_environment()) srcsel_forget((int)a);
      break;
    case SYS_connect:
      return srcsel_connect(&by_syscall, (int)a, (const struct sockaddr *)b, (socklen_t)c);
    case SYS_sendto:
      if (!e) break;
      return srcsel_sendto(&by_syscall, (int)a, (const void *)b, (size_t)c, (int)d,
                           (const struct sockaddr *)e, (socklen_t)f);
    case SYS_sendmsg:
      return srcsel_sendmsg(&by_syscall, (int)a, (const struct msghdr *)b, (int)c);
    case SYS_sendmmsg:
      return srcsel_sendmmsg(&by_syscall, (int)a, (struct mmsghdr *)b, (unsigned)c, (int)d);
    case SYS_recvfrom:
      return srcsel_recvfrom(&by_syscall, (int)a, (void *)b, (size_t)c, (int)d,
                             (struct sockaddr *)e, (socklen_t *)f);
    case SYS_recvmsg:
      return srcsel_recvmsg(&by_syscall, (int)a, (struct msghdr *)b, (int)c);
    case SYS_recvmmsg:
      return srcsel_recvmmsg(&by_syscall, (int)a, (struct mmsghdr *)b, (unsigned)c, (int)d,
                             (struct timespec *)e);
    default:
      break;
  }
  return srcsel_libc.syscall(number, a, b, c, d, e, f);
}

__attribute__((destructor)) static void end(void) {
  const struct srcsel_environment *environment = srcsel_environment();

  if (environment) srcsel_say_counts(environment);
}

/* Also maps the image, so that who looks for the processes of a run sees it in their maps. */
__attribute__((constructor)) static void begin(void) {
  const struct srcsel_environment *environment = srcsel_environment();
  struct srcsel_view view;

  srcsel_find_libc();
  if (environment && environment->told == SRCSEL_TOLD_IMAGE)
    srcsel_see_image(environment->path, environment->lasting, &view);
}
