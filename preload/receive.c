#include "receive.h"

#include <errno.h>
#include <time.h>

#include "answers.h"
#include "environment.h"
#include "memory.h"

/* Room for the caller's control data and ours; with more, the caller's own memory is used. */
#define ROOM 512
#define OURS CMSG_SPACE(sizeof(struct in6_pktinfo))

/* Where a datagram came to, as control data says it. */
static int is_where(const struct cmsghdr *head) {
  return (head->cmsg_level == IPPROTO_IP && head->cmsg_type == IP_PKTINFO) ||
         (head->cmsg_level == IPPROTO_IPV6 && head->cmsg_type == IPV6_PKTINFO);
}

/* Makes the socket tell, if it is a server's and its program does not know of it. */
static int tells_us(int fd, int flags) {
  const struct srcsel_environment *environment = srcsel_environment();
  int level, option;
  union srcsel_name own;

  if (!environment || !environment->reply_source || flags & MSG_ERRQUEUE) return 0;
  if (!srcsel_is_server(fd, &own)) return 0;
  level = own.any.sa_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
  option = own.any.sa_family == AF_INET ? IP_PKTINFO : IPV6_RECVPKTINFO;
  if (srcsel_option(fd, level, option, 0)) return srcsel_option(fd, SOL_SOCKET, SO_OOBINLINE, 0);
  return !srcsel_set_option(fd, level, option, 1) &&
         !srcsel_set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

static void remember(int fd, const struct msghdr *message, const struct cmsghdr *where) {
  union srcsel_name peer;
  struct in_pktinfo v4;
  struct in6_pktinfo v6;
  __u8 local[16] = {0};

  if (!message->msg_name || !srcsel_read_name(message->msg_name, message->msg_namelen, &peer))
    return;
  if (where->cmsg_level == IPPROTO_IP && where->cmsg_len >= CMSG_LEN(sizeof(v4))) {
    __builtin_memcpy(&v4, CMSG_DATA(where), sizeof(v4));
    /* Only of what arrived since the socket tells is spec_dst known. */
    __builtin_memcpy(local, v4.ipi_spec_dst.s_addr ? &v4.ipi_spec_dst : &v4.ipi_addr, 4);
  } else if (where->cmsg_len >= CMSG_LEN(sizeof(v6))) {
    __builtin_memcpy(&v6, CMSG_DATA(where), sizeof(v6));
    __builtin_memcpy(local, &v6.ipi6_addr, sizeof(local));
  }
  srcsel_remember_answer(fd, &peer, local);
}

/* Puts a control message into the rest of the caller's room as the kernel does (6.18: put_cmsg()):
 * cut short if need be, and not at all if its head does not fit. How much of the room it takes. */
static size_t put(const unsigned char *from, unsigned char *to, size_t room, int *cut) {
  struct cmsghdr head;
  size_t space;

  __builtin_memcpy(&head, from, sizeof(head));
  space = CMSG_ALIGN(head.cmsg_len);
  if (room < head.cmsg_len) *cut = 1;
  if (room < sizeof(head)) return 0;
  if (room < head.cmsg_len) head.cmsg_len = room;
  __builtin_memmove(to, from, head.cmsg_len);
  __builtin_memcpy(to, &head, sizeof(head));
  return space < room ? space : room;
}

/* Takes what is ours out of control data of `size` bytes at `from`; the rest goes to `to`, as far
 * as there is room. How much that is; `cut` if it was not all. */
static size_t hand_on(int fd, const struct msghdr *message, const unsigned char *from, size_t size,
                      unsigned char *to, size_t room, int *cut) {
  struct cmsghdr head;
  size_t at = 0, kept = 0;

  while (at <= size && size - at >= sizeof(head)) {
    __builtin_memcpy(&head, from + at, sizeof(head));
    if (head.cmsg_len < sizeof(head) || head.cmsg_len > size - at) break;
    if (is_where(&head))
      remember(fd, message, (const struct cmsghdr *)(const void *)(from + at));
    else
      kept += put(from + at, to + kept, room - kept, cut);
    at += CMSG_ALIGN(head.cmsg_len);
  }
  return kept;
}

ssize_t srcsel_recvmsg(const struct srcsel_libc *how, int fd, struct msghdr *message, int flags) {
  unsigned char room[ROOM] __attribute__((aligned(8)));
  struct msghdr ours;
  ssize_t received;
  size_t own;
  int cut = 0;

  if (!tells_us(fd, flags) || !srcsel_readable(message, sizeof(*message)))
    return how->recvmsg(fd, message, flags);
  ours = *message;
  own = srcsel_control_size(message);
  if (own + OURS <= sizeof(room)) {
    ours.msg_control = room;
    ours.msg_controllen = own + OURS;
  }
  received = how->recvmsg(fd, &ours, flags);
  if (received < 0) return received;
  message->msg_namelen = ours.msg_namelen;
  message->msg_controllen =
      hand_on(fd, &ours, ours.msg_control, ours.msg_controllen, message->msg_control, own, &cut);
  message->msg_flags = ours.msg_flags | (cut ? MSG_CTRUNC : 0);
  return received;
}

ssize_t srcsel_recvfrom(const struct srcsel_libc *how, int fd, void *bytes, size_t count, int flags,
                        struct sockaddr *name, socklen_t *size) {
  struct iovec part = {bytes, count};
  struct msghdr message = {.msg_name = name, .msg_iov = &part, .msg_iovlen = 1};
  ssize_t received;

  if (!name || !tells_us(fd, flags) || !srcsel_readable(size, sizeof(struct epoll_event)) ||
      *size > sizeof(struct sockaddr_storage))
    return how->recvfrom(fd, bytes, count, flags, name, size);
  message.msg_namelen = *size;
  received = srcsel_recvmsg(how, fd, &message, flags);
  if (received >= 0) *size = message.msg_namelen;
  return received;
}

static long long now(void) {
  struct timespec time = {0};

  SRCSEL_RAW2(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

/* As the kernel does it: the timeout is looked at after each datagram, and what is left is told. */
static int expired(struct timespec *timeout, long long deadline) {
  const long long left = deadline - now();

  timeout->tv_sec = left > 0 ? left / 1000000000 : 0;
  timeout->tv_nsec = left > 0 ? left % 1000000000 : 0;
  return left <= 0;
}

int srcsel_recvmmsg(const struct srcsel_libc *how, int fd, struct mmsghdr *messages, unsigned count,
                    int flags, struct timespec *timeout) {
  const int errno_before = *srcsel_errno();
  long long deadline = 0;
  unsigned received = 0;
  ssize_t size = 0;

  if (!tells_us(fd, flags) || (timeout && !srcsel_readable(timeout, sizeof(*timeout))))
    return how->recvmmsg(fd, messages, count, flags, timeout);
  if (timeout) deadline = now() + timeout->tv_sec * 1000000000ll + timeout->tv_nsec;
  while (received < count) {
    if (!srcsel_readable(&messages[received], sizeof(*messages))) {
      size = how->recvmsg(fd, &messages[received].msg_hdr, flags & ~MSG_WAITFORONE);
      break;
    }
    size = srcsel_recvmsg(how, fd, &messages[received].msg_hdr, flags & ~MSG_WAITFORONE);
    if (size < 0) break;
    messages[received++].msg_len = (unsigned)size;
    if (flags & MSG_WAITFORONE) flags |= MSG_DONTWAIT;
    if (timeout && expired(timeout, deadline)) break;
  }
  if (!received) return (int)size;
  *srcsel_errno() = errno_before;
  return (int)received;
}
