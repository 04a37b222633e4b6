/* All that a call only reads is in memory that cannot be written to. */
#include <sys/mman.h>

#include "transcript.h"

struct arguments {
  struct sockaddr_in name;
  struct sockaddr_in6 name6;
  struct iovec part;
  struct msghdr message;
  char bytes[8];
  char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
};

static const struct arguments *make(void) {
  struct arguments *all =
      mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct cmsghdr *head = (void *)all->control;

  all->name = at(SERVER, 9);
  all->name6 = at6(SERVER6, 9);
  all->part = (struct iovec){all->bytes, sizeof(all->bytes)};
  head->cmsg_level = IPPROTO_IP;
  head->cmsg_type = IP_TTL;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  *(int *)(void *)CMSG_DATA(head) = 33;
  all->message = (struct msghdr){.msg_name = &all->name,
                                 .msg_namelen = sizeof(all->name),
                                 .msg_iov = &all->part,
                                 .msg_iovlen = 1,
                                 .msg_control = all->control,
                                 .msg_controllen = sizeof(all->control)};
  mprotect(all, sizeof(*all), PROT_READ);
  return all;
}

int main(void) {
  const struct arguments *all = make();
  const struct sockaddr_in any = at("0.0.0.0", 0);
  struct mmsghdr messages[2] = {{all->message, 0}, {all->message, 0}};
  int fd = socket(AF_INET, SOCK_STREAM, 0);

  say("connect", CALL(connect(fd, (const void *)&all->name, sizeof(all->name))));
  close(fd);
  fd = socket(AF_INET, SOCK_STREAM, 0);
  say("fast open", CALL(sendto(fd, all->bytes, 8, MSG_FASTOPEN | MSG_NOSIGNAL,
                               (const void *)&all->name, sizeof(all->name))));
  close(fd);
  fd = socket(AF_INET6, SOCK_DGRAM, 0);
  say("sendto, IPv6",
      CALL(sendto(fd, all->bytes, 8, 0, (const void *)&all->name6, sizeof(all->name6))));
  say("connect, IPv6", CALL(connect(fd, (const void *)&all->name6, sizeof(all->name6))));
  close(fd);
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  say("sendto", CALL(sendto(fd, all->bytes, 8, 0, (const void *)&all->name, sizeof(all->name))));
  say("sendmsg", CALL(sendmsg(fd, &all->message, 0)));
  say("sendmmsg", CALL(sendmmsg(fd, messages, 2, 0)));
  close(fd);
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  say("bind", CALL(bind(fd, (const void *)&any, sizeof(any))));
  close(fd);
  return 0;
}
