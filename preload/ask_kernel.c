#include "ask_kernel.h"

#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "engine/key.h"
#include "raw.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

struct question {
  struct nlmsghdr head;
  struct rtmsg route;
  __u8 attributes[128];
};

static void add(struct question *q, __u16 type, const void *value, __u32 size) {
  struct rtattr *attribute = (struct rtattr *)(void *)((__u8 *)q + NLMSG_ALIGN(q->head.nlmsg_len));

  attribute->rta_type = type;
  attribute->rta_len = (__u16)RTA_LENGTH(size);
  __builtin_memcpy(RTA_DATA(attribute), value, size);
  q->head.nlmsg_len = NLMSG_ALIGN(q->head.nlmsg_len) + RTA_ALIGN(RTA_LENGTH(size));
}

static void add_address(struct question *q, __u16 type, const struct srcsel_flow *flow,
                        const struct srcsel_key *key) {
  __u8 address[16] __attribute__((aligned(8)));

  srcsel_write_address(address, key);
  add(q, type, address, flow->family == SRCSEL_V4 ? 4 : 16);
}

static void add_port(struct question *q, __u16 type, __u16 port) {
  const __u16 wire = htons(port);

  if (port) add(q, type, &wire, sizeof(wire));
}

static void write_question(struct question *q, const struct srcsel_flow *flow, __u32 mark,
                           __u32 uid) {
  __builtin_memset(q, 0, sizeof(*q));
  q->head.nlmsg_len = NLMSG_LENGTH(sizeof(q->route));
  q->head.nlmsg_type = RTM_GETROUTE;
  q->head.nlmsg_flags = NLM_F_REQUEST;
  q->route.rtm_family = flow->family == SRCSEL_V4 ? AF_INET : AF_INET6;
  q->route.rtm_dst_len = flow->family == SRCSEL_V4 ? 32 : 128;
  q->route.rtm_flags = RTM_F_LOOKUP_TABLE;
  q->route.rtm_tos = (__u8)(flow->dscp << 2);
  add_address(q, RTA_DST, flow, &flow->dst);
  add(q, RTA_UID, &uid, sizeof(uid));
  if (mark) add(q, RTA_MARK, &mark, sizeof(mark));
  /* The kernel takes no other protocol than these (6.18: rtm_getroute_parse_ip_proto()). */
  if (flow->proto != IPPROTO_TCP && flow->proto != IPPROTO_UDP) return;
  add(q, RTA_IP_PROTO, &flow->proto, sizeof(flow->proto));
  add_port(q, RTA_SPORT, flow->sport);
  add_port(q, RTA_DPORT, flow->dport);
}

static __u32 word_of(const struct rtattr *attribute) {
  __u32 word = 0;

  if (RTA_PAYLOAD(attribute) >= sizeof(word))
    __builtin_memcpy(&word, RTA_DATA(attribute), sizeof(word));
  return word;
}

static void read_attributes(const struct rtmsg *message, long rest,
                            struct srcsel_kernel_route *route) {
  const struct rtattr *a = RTM_RTA(message);

  for (; RTA_OK(a, rest); a = RTA_NEXT(a, rest)) {
    if (a->rta_type == RTA_OIF) route->oif = word_of(a);
    if (a->rta_type == RTA_TABLE) route->table = word_of(a);
    if (a->rta_type != RTA_PREFSRC || RTA_PAYLOAD(a) > sizeof(route->source)) continue;
    __builtin_memcpy(route->source, RTA_DATA(a), RTA_PAYLOAD(a));
    route->has_source = 1;
  }
}

static void read_answer(const void *bytes, long size, struct srcsel_kernel_route *route) {
  const struct nlmsghdr *head = bytes;
  const struct rtmsg *message = NLMSG_DATA(head);

  if (size < (long)sizeof(*head) || !NLMSG_OK(head, (__u32)size)) return;
  if (head->nlmsg_type == NLMSG_ERROR && size >= (long)NLMSG_LENGTH(sizeof(int)))
    __builtin_memcpy(&route->error, message, sizeof(int));
  if (head->nlmsg_type != RTM_NEWROUTE || size < (long)NLMSG_LENGTH(sizeof(*message))) return;
  route->error = 0;
  route->type = message->rtm_type;
  read_attributes(message, (long)head->nlmsg_len - (long)NLMSG_LENGTH(sizeof(*message)), route);
}

static int is_of_namespace(int fd, __u64 netns) {
  __u64 cookie = 0;
  socklen_t size = sizeof(cookie);

  return !SRCSEL_RAW5(SYS_getsockopt, fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) &&
         cookie == netns;
}

static __u32 owner_of(int fd) {
  struct stat file;

  return SRCSEL_RAW2(SYS_fstat, fd, &file) ? (__u32)SRCSEL_RAW1(SYS_geteuid, 0) : file.st_uid;
}

void srcsel_ask_kernel(int fd, const struct srcsel_flow *flow, __u32 mark,
                       struct srcsel_kernel_route *route) {
  union {
    struct question question;
    __u8 answer[640];
  } message __attribute__((aligned(8)));
  const long asked = SRCSEL_RAW3(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  long size;

  __builtin_memset(route, 0, sizeof(*route));
  route->error = 1;
  if (asked < 0) return;
  if (is_of_namespace((int)asked, flow->netns)) {
    write_question(&message.question, flow, mark, owner_of(fd));
    size = SRCSEL_RAW6(SYS_sendto, asked, &message, message.question.head.nlmsg_len, 0, 0, 0);
    if (size > 0)
      size = SRCSEL_RAW6(SYS_recvfrom, asked, &message, sizeof(message), MSG_DONTWAIT, 0, 0);
    if (size > 0) read_answer(&message, size, route);
  }
  SRCSEL_RAW1(SYS_close, asked);
}
