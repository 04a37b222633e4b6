/*
 * control ADDRESS...: datagrams with control data of the program's own, to port 7 of each: a ttl of
 * 33, then a source too, 10.1.0.2 or fd00:1::2, then, by root, the mark 100. A line for each: what
 * the server saw.
 */
#include <sys/syscall.h>
#include <sys/time.h>

#include "transcript.h"

#define TTL 33
#define WAYS 3

enum kind { PLAIN, SOURCED, MARKED };

static const char *const kinds[] = {"", " with a source", " with a mark"};
static const char *const ways[WAYS] = {"sendmsg", "sendmmsg", "syscall sendmsg"};

static int is_mapped(const struct sockaddr_in6 *name) {
  return IN6_IS_ADDR_V4MAPPED(&name->sin6_addr);
}

static void add(struct msghdr *message, int level, int type, const void *value, size_t size) {
  struct cmsghdr *head = (void *)((char *)message->msg_control + message->msg_controllen);

  head->cmsg_level = level;
  head->cmsg_type = type;
  head->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(head), value, size);
  message->msg_controllen += CMSG_SPACE(size);
}

static void add_ttl(struct msghdr *message, int v6) {
  const int ttl = TTL;
  add(message, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_HOPLIMIT : IP_TTL, &ttl, sizeof(ttl));
}

static void add_source(struct msghdr *message, int v6, int mapped) {
  struct in_pktinfo info = {.ipi_spec_dst = at("10.1.0.2", 0).sin_addr};
  struct in6_pktinfo info6 = {.ipi6_addr =
                                  at6(mapped ? "::ffff:10.1.0.2" : "fd00:1::2", 0).sin6_addr};

  if (v6)
    add(message, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
  else
    add(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

static void add_mark(struct msghdr *message) {
  const int mark = 100;
  add(message, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
}

static long send_by(int way, int fd, struct msghdr *message) {
  struct mmsghdr one = {*message, 0};

  if (way == 0) return sendmsg(fd, message, 0);
  if (way == 1) return sendmmsg(fd, &one, 1, 0);
  return syscall(SYS_sendmsg, fd, message, 0);
}

static void ask(const char *address, int way, int kind) {
  const int v6 = strchr(address, ':') != NULL, fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
  const struct timeval patience = {20, 0};
  struct sockaddr_in name = at(address, 7);
  struct sockaddr_in6 name6 = at6(address, 7);
  const int mapped = v6 && is_mapped(&name6);
  struct iovec part = {"x", 1};
  char control[128] __attribute__((aligned(8))) = {0}, before[sizeof(control)], answer[128];
  struct msghdr message = {.msg_name = v6 ? (void *)&name6 : (void *)&name,
                           .msg_namelen = v6 ? sizeof(name6) : sizeof(name),
                           .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control};
  ssize_t count;

  add_ttl(&message, v6 && !mapped);
  if (kind == SOURCED) add_source(&message, v6, mapped);
  if (kind == MARKED) add_mark(&message);
  memcpy(before, control, sizeof(control));
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  count = send_by(way, fd, &message) == 1 ? recv(fd, answer, sizeof(answer) - 1, 0) : -1;
  answer[count < 0 ? 0 : count] = 0;
  printf("%s%s: %s%s\n", ways[way], kinds[kind], count < 0 ? strerror(errno) : answer,
         memcmp(before, control, sizeof(control)) ? ", control data changed" : "");
  close(fd);
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; ++i)
    for (int way = 0; way < WAYS; ++way)
      for (int kind = PLAIN; kind <= (geteuid() ? SOURCED : MARKED); ++kind)
        ask(argv[i], way, kind);
  return 0;
}
