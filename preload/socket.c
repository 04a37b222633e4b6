#include "socket.h"

#include <netinet/tcp.h>
#include <stddef.h>

#include "engine/key.h"
#include "memory.h"
#include "raw.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define CLOSED 7 /* TCP_CLOSE; <netinet/tcp.h> has it or not, as libc pleases */

int srcsel_read_name(const struct sockaddr *name, socklen_t size, union srcsel_name *copy) {
  /* Without sin6_scope_id the kernel takes a sockaddr_in6 too. */
  const socklen_t least6 = offsetof(struct sockaddr_in6, sin6_scope_id);
  sa_family_t family;

  if (size < sizeof(copy->v4) || size > sizeof(struct sockaddr_storage)) return 0;
  if (!srcsel_readable(name, size < least6 ? sizeof(copy->v4) : least6)) return 0;
  /* It may lie anywhere, aligned or not. */
  __builtin_memcpy(&family, (const void *)name, sizeof(family));
  if (family == AF_INET) {
    __builtin_memcpy(&copy->v4, (const void *)name, sizeof(copy->v4));
    return 1;
  }
  if (family != AF_INET6 || size < least6) return 0;
  __builtin_memcpy(&copy->v6, (const void *)name, least6);
  return 1;
}

static __u64 big_endian_word(const __u8 *bytes) {
  __u64 word = 0;

  for (int i = 0; i < 8; ++i) word = word << 8 | bytes[i];
  return word;
}

static void read_destination(const union srcsel_name *name, struct srcsel_flow *flow) {
  const __u8 *bytes = name->v6.sin6_addr.s6_addr;

  flow->dport = ntohs(name->any.sa_family == AF_INET ? name->v4.sin_port : name->v6.sin6_port);
  if (name->any.sa_family == AF_INET) {
    flow->family = SRCSEL_V4;
    flow->dst.hi = (__u64)ntohl(name->v4.sin_addr.s_addr) << 32;
    return;
  }
  flow->family = SRCSEL_V6;
  flow->dst.hi = big_endian_word(bytes);
  flow->dst.lo = big_endian_word(bytes + 8);
  if (flow->dst.hi || flow->dst.lo >> 32 != 0xffff) return;
  flow->family = SRCSEL_V4;
  flow->dst.hi = flow->dst.lo << 32;
  flow->dst.lo = 0;
}

static int is_bound(const union srcsel_name *own) {
  const __u8 *bytes = own->v6.sin6_addr.s6_addr;

  if (own->any.sa_family == AF_INET) return own->v4.sin_addr.s_addr != 0;
  return (big_endian_word(bytes) | big_endian_word(bytes + 8)) != 0;
}

/*
 * Between IPv6 and IPv4-mapped addresses there is no way. Where connect() gave the address, the
 * kernel takes another one for the other family; where bind() did, it does not. (6.18:
 * __inet6_bind() sets 127.0.0.6 as the socket's IPv4 address.)
 */
static int is_out_of_reach(const union srcsel_name *own, const union srcsel_name *name) {
  return own->any.sa_family == AF_INET6 && name->any.sa_family == AF_INET6 &&
         IN6_IS_ADDR_V4MAPPED(&own->v6.sin6_addr) != IN6_IS_ADDR_V4MAPPED(&name->v6.sin6_addr);
}

int srcsel_is_stream(int fd) {
  return srcsel_option(fd, SOL_SOCKET, SO_TYPE, 0) == SOCK_STREAM;
}

/* Its protocol as flows know it; 0 if the preload has nothing to do with it. */
static __u8 read_protocol(struct srcsel_socket *socket, __u16 port) {
  const int protocol = srcsel_option(socket->fd, SOL_SOCKET, SO_PROTOCOL, 0);

  /* The port of a raw socket is its protocol. */
  if (port == protocol && srcsel_option(socket->fd, SOL_SOCKET, SO_TYPE, SOCK_RAW) == SOCK_RAW)
    return 0;
  socket->stream = protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
  if (socket->stream) return IPPROTO_TCP;
  if (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE || protocol == IPPROTO_ICMP ||
      protocol == IPPROTO_ICMPV6)
    return (__u8)protocol;
  return 0;
}

static int has_sign(const struct srcsel_socket *socket) {
  if (socket->stream) return !srcsel_option(socket->fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1);
  return srcsel_option(socket->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0);
}

void srcsel_sign_stream(int fd, int left) {
  srcsel_set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, !left);
}

void srcsel_forget(int fd) {
  struct srcsel_socket socket = {.fd = fd};

  if (!srcsel_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0)) return;
  socket.stream = srcsel_is_stream(fd);
  if (!has_sign(&socket)) return;
  if (socket.stream) srcsel_sign_stream(fd, 0);
  srcsel_set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0);
}

/* Whether a stream with a port may still be bound: it never came to a connection. */
static int is_closed(int fd) {
  __u8 state = 0;
  socklen_t size = sizeof(state);

  return !SRCSEL_RAW5(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &state, &size) && state == CLOSED;
}

/* Gives a datagram socket's port back, so that it can be bound to another address. */
static void dissolve(struct srcsel_socket *socket) {
  const struct sockaddr none = {.sa_family = AF_UNSPEC};

  if (SRCSEL_RAW3(SYS_connect, socket->fd, &none, sizeof(none))) return;
  socket->flow.sport = 0;
  socket->flow.facts &= (__u8)~SRCSEL_FACT_PORT;
}

/* A stream's port may be left from a connection that failed; bind() then tells. */
static int read_own_name(struct srcsel_socket *socket, const union srcsel_name *name,
                         int operation) {
  union srcsel_name own;
  socklen_t size = sizeof(own);
  struct srcsel_flow *flow = &socket->flow;

  if (SRCSEL_RAW3(SYS_getsockname, socket->fd, &own, &size)) return 0;
  socket->family = own.any.sa_family;
  if (socket->family != AF_INET && socket->family != AF_INET6) return 0;
  flow->sport = ntohs(socket->family == AF_INET ? own.v4.sin_port : own.v6.sin6_port);
  flow->proto = read_protocol(socket, flow->sport);
  if (!flow->proto || (socket->stream && operation == SRCSEL_DATAGRAM)) return 0;
  if (socket->stream && flow->sport && !is_closed(socket->fd)) return 0;
  if (!socket->stream && flow->sport) flow->facts |= SRCSEL_FACT_PORT;
  if (!is_bound(&own)) return 1;
  socket->left = has_sign(socket);
  socket->out_of_reach = socket->left && !socket->stream && is_out_of_reach(&own, name);
  if (operation == SRCSEL_DATAGRAM) return socket->out_of_reach;
  if (socket->out_of_reach) dissolve(socket);
  flow->facts |= socket->left ? SRCSEL_FACT_LEFT : SRCSEL_FACT_SOURCE;
  return 1;
}

int srcsel_read_socket(int fd, const union srcsel_name *name, int operation,
                       struct srcsel_socket *socket) {
  struct srcsel_flow *flow = &socket->flow;
  socklen_t size = sizeof(flow->netns);

  __builtin_memset(socket, 0, sizeof(*socket));
  socket->fd = fd;
  flow->operation = (__u8)operation;
  if (!read_own_name(socket, name, operation)) return 0;
  if (socket->family != name->any.sa_family) return 0;
  read_destination(name, flow);
  flow->mark = (__u32)srcsel_option(fd, SOL_SOCKET, SO_MARK, 0);
  flow->oif = (__u32)srcsel_option(fd, SOL_SOCKET, SO_BINDTOIFINDEX, 0);
  if (SRCSEL_RAW5(SYS_getsockopt, fd, SOL_SOCKET, SO_NETNS_COOKIE, &flow->netns, &size)) return 0;
  flow->unknown =
      SRCSEL_IN_UID | SRCSEL_IN_DSCP | SRCSEL_IN_LABEL | SRCSEL_IN_OPAQUE | SRCSEL_IN_CLASSID;
  if (!flow->sport && flow->proto == IPPROTO_UDP) flow->unknown |= SRCSEL_IN_SPORT;
  return 1;
}

void srcsel_read_tos(struct srcsel_socket *socket) {
  const int v6 = socket->flow.family == SRCSEL_V6;
  const int tos =
      srcsel_option(socket->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, -1);

  if (tos < 0) return;
  socket->flow.dscp = (__u8)(tos >> 2 | tos << 6);
  socket->flow.unknown &= ~(__u32)SRCSEL_IN_DSCP;
}
