#include <errno.h>

#include "answers.h"
#include "apply.h"
#include "debug.h"
#include "decide.h"
#include "memory.h"
#include "others_words.h"
#include "raw.h"

#define MOST_CONTROL 4096 /* larger control data is not looked through: the datagram passes */

static void add(struct srcsel_control *control, int level, int type, const void *value,
                size_t size) {
  struct cmsghdr *head = (struct cmsghdr *)(void *)(control->bytes + control->size);

  head->cmsg_level = level;
  head->cmsg_type = type;
  head->cmsg_len = CMSG_LEN(size);
  __builtin_memcpy(CMSG_DATA(head), value, size);
  control->size += CMSG_SPACE(size);
}

static void add_source(struct srcsel_control *control, const struct srcsel_flow *flow,
                       const __u8 *source) {
  struct in_pktinfo v4 = {0};
  struct in6_pktinfo v6 = {0};

  if (flow->family == SRCSEL_V4) {
    __builtin_memcpy(&v4.ipi_spec_dst, source, sizeof(v4.ipi_spec_dst));
    if (v4.ipi_spec_dst.s_addr) add(control, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
    return;
  }
  __builtin_memcpy(&v6.ipi6_addr, source, sizeof(v6.ipi6_addr));
  if (!IN6_IS_ADDR_UNSPECIFIED(&v6.ipi6_addr))
    add(control, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
}

static void write_control(const struct srcsel_socket *socket,
                          const struct srcsel_decision *decision, struct srcsel_control *control) {
  const struct in_pktinfo any = {0};
  const __u32 before = socket->flow.mark;
  const __u32 mark = (before & ~decision->mark_mask) | decision->mark;

  if (decision->apply & SRCSEL_APPLY_MARK && mark != before)
    add(control, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
  if (decision->apply & (SRCSEL_APPLY_SOURCE | SRCSEL_APPLY_PORTS))
    add_source(control, &socket->flow, decision->source);
  /* Or the kernel's choice, which the address left on the socket would forbid. */
  else if (socket->out_of_reach && socket->flow.family == SRCSEL_V4)
    add(control, IPPROTO_IP, IP_PKTINFO, &any, sizeof(any));
  control->reject = (decision->apply & SRCSEL_APPLY_REJECT) != 0;
}

/*
 * Why not all that was decided can go with a datagram; SRCSEL_WHY_COUNT if it can. What sends has
 * its port; and of an IPv6 ping the kernel forgets the source that comes with it, not the mark.
 * (6.18: ping_v6_sendmsg())
 */
static __u32 what_is_lost(const struct srcsel_socket *socket,
                          const struct srcsel_decision *decision) {
  if (decision->apply & SRCSEL_APPLY_PORTS) return SRCSEL_WHY_NO_PORT;
  if (socket->flow.proto != IPPROTO_ICMPV6 || !(decision->apply & SRCSEL_APPLY_SOURCE))
    return SRCSEL_WHY_COUNT;
  if (decision->apply & SRCSEL_APPLY_MARK && decision->reason == SRCSEL_WHY_TABLE)
    return SRCSEL_WHY_COUNT;
  return SRCSEL_WHY_REFUSED;
}

/* An answer leaves from where the question came to, whatever the policy says. */
static int is_answer(int fd, const union srcsel_name *peer, struct srcsel_control *control) {
  struct srcsel_flow flow = {.family = SRCSEL_V4};
  __u8 local[16];

  if (!srcsel_find_answer(fd, peer, local)) return 0;
  if (peer->any.sa_family == AF_INET6) flow.family = SRCSEL_V6;
  add_source(control, &flow, local);
  return 1;
}

int srcsel_before_datagram(int fd, const struct sockaddr *name, socklen_t size,
                           struct srcsel_control *control) {
  const struct srcsel_environment *environment = srcsel_environment();
  struct srcsel_decision decision;
  struct srcsel_socket socket;
  union srcsel_name copy;
  __u32 lost;
  long error;

  control->size = 0;
  control->reject = 0;
  if (!environment || !srcsel_read_name(name, size, &copy)) return 0;
  if (environment->reply_source && is_answer(fd, &copy, control)) return 0;
  if (environment->told == SRCSEL_TOLD_NOTHING) return 0;
  if (!srcsel_read_socket(fd, &copy, SRCSEL_DATAGRAM, &socket)) return 0;
  if (srcsel_is_excluded(environment, &socket.flow)) return 0;
  srcsel_decide_socket(environment, &socket, &decision);
  error = -(long)decision.error;
  lost = what_is_lost(&socket, &decision);
  if (!error && lost != SRCSEL_WHY_COUNT) {
    decision.reason = lost;
    error = -EADDRNOTAVAIL;
  }
  write_control(&socket, &decision, control);
  srcsel_bind_device(environment, &socket, &decision);
  srcsel_say(environment, &socket, &decision, error);
  return error && decision.apply & SRCSEL_APPLY_REJECT ? (int)-error : 0;
}

static int says_source(const struct cmsghdr *head) {
  if (head->cmsg_level == SOL_SOCKET) return head->cmsg_type == SO_MARK;
  if (head->cmsg_level == IPPROTO_IP) return head->cmsg_type == IP_PKTINFO;
  if (head->cmsg_level == IPPROTO_IPV6)
    return head->cmsg_type == IPV6_PKTINFO || head->cmsg_type == IPV6_2292PKTINFO;
  return 0;
}

int srcsel_has_own_source(const struct msghdr *message) {
  const unsigned char *bytes = message->msg_control;
  const size_t size = srcsel_control_size(message);
  struct cmsghdr head;
  size_t at = 0, length;

  if (!bytes || size < sizeof(head)) return 0;
  if (size > MOST_CONTROL || !srcsel_readable(bytes, (unsigned)size)) return 1;
  while (at <= size && size - at >= sizeof(head)) {
    __builtin_memcpy(&head, bytes + at, sizeof(head));
    length = (__u32)head.cmsg_len;
    if (length < sizeof(head)) return 0;
    if (says_source(&head)) return 1;
    at += CMSG_ALIGN(length);
  }
  return 0;
}
