#include "send.h"

#include <errno.h>
#include <sys/uio.h>

#include "apply.h"
#include "counts.h"
#include "environment.h"
#include "memory.h"
#include "socket.h"

#define MOST_OWN_CONTROL 512 /* of the caller's; a datagram with more passes as it is */

static int refuse(int error) {
  *srcsel_errno() = error;
  return -1;
}

/* What the kernel says of a source or a mark that it does not take. */
static int is_about_the_source(int error) {
  return error == EINVAL || error == EADDRNOTAVAIL || error == ENETUNREACH;
}

int srcsel_connect(const struct srcsel_libc *how, int fd, const struct sockaddr *name,
                   socklen_t size) {
  int bound, result = srcsel_before_connect(fd, name, size, &bound);

  if (result) return refuse(result);
  result = how->connect(fd, name, size);
  if (bound && result) srcsel_sign_stream(fd, 1);
  return result;
}

/* A message of the caller's with our control data before its own. */
struct extended {
  struct msghdr message;
  unsigned char control[sizeof(((struct srcsel_control *)0)->bytes) + MOST_OWN_CONTROL]
      __attribute__((aligned(8)));
};

static int extend(struct extended *extended, const struct msghdr *message,
                  const struct srcsel_control *control) {
  const size_t own = srcsel_control_size(message);

  if (own > MOST_OWN_CONTROL) return 0;
  __builtin_memcpy(extended->control, control->bytes, control->size);
  if (own) __builtin_memcpy(extended->control + control->size, message->msg_control, own);
  extended->message = *message;
  extended->message.msg_control = extended->control;
  extended->message.msg_controllen = control->size + own;
  return 1;
}

/* Sends it extended; as it is, if the kernel does not take it so. */
static ssize_t send_extended(const struct srcsel_libc *how, int fd, const struct msghdr *message,
                             int flags, const struct srcsel_control *control) {
  const int before = *srcsel_errno();
  struct extended extended;
  ssize_t sent;

  if (!extend(&extended, message, control)) return how->sendmsg(fd, message, flags);
  sent = how->sendmsg(fd, &extended.message, flags);
  if (sent >= 0 || control->reject || !is_about_the_source(*srcsel_errno())) return sent;
  *srcsel_errno() = before;
  srcsel_count(SRCSEL_WHY_REFUSED);
  return how->sendmsg(fd, message, flags);
}

/* What comes before a message is sent: 0, or the errno to fail with. A stream's first message may
 * be its connect(). */
static int before(int fd, const struct msghdr *message, int flags, struct srcsel_control *control) {
  int bound, refused;

  control->size = 0;
  if (!message->msg_name || !srcsel_environment()) return 0;
  if (flags & MSG_FASTOPEN && srcsel_is_stream(fd)) {
    refused = srcsel_before_connect(fd, message->msg_name, message->msg_namelen, &bound);
    if (bound) srcsel_sign_stream(fd, 1);
    return refused;
  }
  if (srcsel_has_own_source(message)) return 0;
  return srcsel_before_datagram(fd, message->msg_name, message->msg_namelen, control);
}

ssize_t srcsel_sendto(const struct srcsel_libc *how, int fd, const void *bytes, size_t count,
                      int flags, const struct sockaddr *name, socklen_t size) {
  struct iovec part = {(void *)(__UINTPTR_TYPE__)bytes, count};
  const struct msghdr message = {.msg_name = (void *)(__UINTPTR_TYPE__)name,
                                 .msg_namelen = size,
                                 .msg_iov = &part,
                                 .msg_iovlen = 1};
  struct srcsel_control control;
  const int refused = before(fd, &message, flags, &control);

  if (refused) return refuse(refused);
  if (!control.size) return how->sendto(fd, bytes, count, flags, name, size);
  return send_extended(how, fd, &message, flags, &control);
}

ssize_t srcsel_sendmsg(const struct srcsel_libc *how, int fd, const struct msghdr *message,
                       int flags) {
  struct srcsel_control control;
  int refused;

  if (!srcsel_environment() || !srcsel_readable(message, sizeof(*message)))
    return how->sendmsg(fd, message, flags);
  refused = before(fd, message, flags, &control);
  if (refused) return refuse(refused);
  if (!control.size) return how->sendmsg(fd, message, flags);
  return send_extended(how, fd, message, flags, &control);
}

/* How many messages from the first on go as they are; what is to be done about the next one is left
 * in `control` and `refused`. */
static unsigned plain_run(int fd, struct mmsghdr *messages, unsigned count, int flags,
                          struct srcsel_control *control, int *refused) {
  unsigned run = 0;

  for (; run < count; ++run) {
    if (!srcsel_readable(&messages[run], sizeof(*messages))) break;
    *refused = before(fd, &messages[run].msg_hdr, flags, control);
    if (*refused || control->size) break;
  }
  return run;
}

/* As the kernel does it: an error after the first message is not told. */
int srcsel_sendmmsg(const struct srcsel_libc *how, int fd, struct mmsghdr *messages, unsigned count,
                    int flags) {
  const int errno_before = *srcsel_errno();
  unsigned sent = 0, run;
  ssize_t result = 0;

  if (!srcsel_environment() || !count) return how->sendmmsg(fd, messages, count, flags);
  if (count > UIO_MAXIOV) count = UIO_MAXIOV;
  while (sent < count) {
    struct srcsel_control control = {0};
    int refused = 0;

    run = plain_run(fd, messages + sent, count - sent, flags, &control, &refused);
    if (!run && !refused && !control.size) run = 1; /* not readable: the kernel says so */
    if (run) {
      result = how->sendmmsg(fd, messages + sent, run, flags);
      sent += result > 0 ? (unsigned)result : 0;
      if (result < (ssize_t)run) break;
    }
    if (refused) {
      result = refuse(refused);
      break;
    }
    if (!control.size) continue;
    result = send_extended(how, fd, &messages[sent].msg_hdr, flags, &control);
    if (result < 0) break;
    messages[sent++].msg_len = (unsigned)result;
  }
  if (!sent) return (int)result;
  *srcsel_errno() = errno_before;
  return (int)sent;
}
