#include <errno.h>

#include "apply.h"
#include "debug.h"
#include "decide.h"
#include "engine/key.h"
#include "others_words.h"
#include "raw.h"

#define IP_LOCAL_PORT_RANGE_6_3 51 /* Debian 12's headers are of 6.1 */

static int is_zero(const __u8 *address) {
  for (int i = 0; i < 16; ++i)
    if (address[i]) return 0;
  return 1;
}

/* The decision's source as the socket takes it; the socket's own "any" if it is all 0. */
static socklen_t write_source(const struct srcsel_socket *socket,
                              const struct srcsel_decision *decision, union srcsel_name *source) {
  __u8 *bytes = source->v6.sin6_addr.s6_addr;

  __builtin_memset(source, 0, sizeof(*source));
  source->any.sa_family = (sa_family_t)socket->family;
  if (socket->family == AF_INET) {
    __builtin_memcpy(&source->v4.sin_addr, decision->source, 4);
    return sizeof(source->v4);
  }
  if (socket->flow.family == SRCSEL_V4 && !is_zero(decision->source)) {
    bytes[10] = bytes[11] = 0xff;
    __builtin_memcpy(bytes + 12, decision->source, 4);
  } else {
    __builtin_memcpy(bytes, decision->source, 16);
  }
  return sizeof(source->v6);
}

/*
 * An IPv6 address makes a socket take no other any more; what it took before is restored, for a
 * later connect() to an IPv4-mapped destination. (6.18: __inet6_bind() sets sk_ipv6only.)
 */
static long bind_source(const struct srcsel_socket *socket,
                        const struct srcsel_decision *decision) {
  union srcsel_name source;
  const socklen_t size = write_source(socket, decision, &source);
  const int only =
      socket->family == AF_INET || srcsel_option(socket->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  long error;

  srcsel_set_option(socket->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  error = SRCSEL_RAW3(SYS_bind, socket->fd, &source, size);
  if (error && !socket->left) srcsel_set_option(socket->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0);
  if (!only) srcsel_set_option(socket->fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  return error;
}

/* What pings have as a port the kernel takes from no range. (6.18: ping_get_port()) */
static long set_ports(const struct srcsel_socket *socket, const struct srcsel_decision *decision) {
  const __u32 range = (__u32)decision->port_last << 16 | decision->port_first;

  if (socket->flow.proto == IPPROTO_ICMP || socket->flow.proto == IPPROTO_ICMPV6)
    return -ENOPROTOOPT;
  return srcsel_set_option(socket->fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE_6_3, (int)range);
}

static long set_mark(const struct srcsel_socket *socket, const struct srcsel_decision *decision) {
  const __u32 before = socket->flow.mark;
  const __u32 mark = (before & ~decision->mark_mask) | decision->mark;

  if (!(decision->apply & SRCSEL_APPLY_MARK) || mark == before) return 0;
  return srcsel_set_option(socket->fd, SOL_SOCKET, SO_MARK, (int)mark);
}

/* Ports that cannot be had leave the source to be bound alone, unless the policy rejects. */
static long apply(const struct srcsel_socket *socket, struct srcsel_decision *decision) {
  long error = set_mark(socket, decision), bound;

  if (!error && decision->apply & SRCSEL_APPLY_PORTS) {
    error = set_ports(socket, decision);
    if (error) decision->reason = SRCSEL_WHY_NO_PORT;
    if (error && decision->apply & SRCSEL_APPLY_REJECT) return -EADDRNOTAVAIL;
    bound = bind_source(socket, decision);
    if (!bound) return error;
    error = bound;
  } else if (!error && decision->apply & SRCSEL_APPLY_SOURCE) {
    error = bind_source(socket, decision);
  }
  if (!error) return 0;
  decision->reason = SRCSEL_WHY_REFUSED;
  /* A stream shows a port of its own only by refusing to be bound. */
  if (error == -EINVAL && socket->flow.sport) decision->reason = SRCSEL_WHY_APP_PORT;
  return error;
}

/* Datagram sockets remember that they were decided on, also where connect() will give the source.
 */
static void leave_sign(const struct srcsel_socket *socket, const struct srcsel_decision *decision) {
  const int bound = decision->apply & (SRCSEL_APPLY_SOURCE | SRCSEL_APPLY_PORTS);

  if (!socket->stream && !bound && !socket->left)
    srcsel_set_option(socket->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
}

int srcsel_before_connect(int fd, const struct sockaddr *name, socklen_t size, int *bound) {
  const struct srcsel_environment *environment = srcsel_environment();
  struct srcsel_decision decision;
  struct srcsel_socket socket;
  union srcsel_name copy;
  long error;

  *bound = 0;
  if (!environment || environment->told == SRCSEL_TOLD_NOTHING) return 0;
  if (!srcsel_read_name(name, size, &copy)) return 0;
  if (!srcsel_read_socket(fd, &copy, SRCSEL_CONNECT, &socket)) return 0;
  if (srcsel_is_excluded(environment, &socket.flow)) return 0;
  srcsel_decide_socket(environment, &socket, &decision);
  error = -(long)decision.error;
  if (!error) error = apply(&socket, &decision);
  if (!error && decision.apply) leave_sign(&socket, &decision);
  *bound = socket.stream && !error && decision.apply & (SRCSEL_APPLY_SOURCE | SRCSEL_APPLY_PORTS);
  srcsel_bind_device(environment, &socket, &decision);
  srcsel_say(environment, &socket, &decision, error);
  return error && decision.apply & SRCSEL_APPLY_REJECT ? (int)-error : 0;
}
