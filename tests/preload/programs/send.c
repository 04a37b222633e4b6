/* sendto(), sendmsg(), sendmmsg(): results, errno, and memory that stays as it was. */
#include "transcript.h"

static struct sockaddr_in name;
static char bytes[] = "question", much[70000];

static struct msghdr message_to(struct sockaddr_in *to, struct iovec *part) {
  *part = (struct iovec){bytes, sizeof(bytes)};
  return (struct msghdr){
      .msg_name = to, .msg_namelen = sizeof(*to), .msg_iov = part, .msg_iovlen = 1};
}

static void by_sendto(int fd) {
  say("sendto", CALL(sendto(fd, bytes, sizeof(bytes), 0, (void *)&name, sizeof(name))));
  say("nothing", CALL(sendto(fd, NULL, 0, 0, (void *)&name, sizeof(name))));
  say("bad bytes", CALL(sendto(fd, (void *)8, 4, 0, (void *)&name, sizeof(name))));
  say("bad name", CALL(sendto(fd, bytes, 4, 0, (void *)8, sizeof(name))));
  say("short name", CALL(sendto(fd, bytes, 4, 0, (void *)&name, 3)));
  say("no name", CALL(sendto(fd, bytes, 4, 0, NULL, 0)));
  say("too much", CALL(sendto(fd, much, sizeof(much), 0, (void *)&name, sizeof(name))));
  say("unknown flag", CALL(sendto(fd, bytes, 4, MSG_OOB, (void *)&name, sizeof(name))));
  say("no socket", CALL(sendto(1000, bytes, 4, 0, (void *)&name, sizeof(name))));
}

static void by_sendmsg(int fd) {
  struct iovec part;
  struct msghdr message = message_to(&name, &part), before;
  char control[CMSG_SPACE(sizeof(int))] = {0}, copy[sizeof(control)];
  struct cmsghdr *head = (void *)control;

  before = message;
  say("sendmsg", CALL(sendmsg(fd, &message, 0)));
  say("the message is unchanged", memcmp(&message, &before, sizeof(message)));
#ifdef __GLIBC__ /* musl looks at these itself, and faults */
  say("no message", CALL(sendmsg(fd, NULL, 0)));
  say("bad message", CALL(sendmsg(fd, (void *)8, 0)));
#endif
  *head = (struct cmsghdr){
      .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL};
  *(int *)(void *)CMSG_DATA(head) = 33;
  memcpy(copy, control, sizeof(control));
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  say("own control data", CALL(sendmsg(fd, &message, 0)));
  say("it is unchanged", memcmp(copy, control, sizeof(control)));
  *(int *)(void *)CMSG_DATA(head) = 999;
  say("wrong control data", CALL(sendmsg(fd, &message, 0)));
  head->cmsg_len = 3;
  say("broken control data", CALL(sendmsg(fd, &message, 0)));
#ifdef __GLIBC__
  message.msg_control = (void *)8;
  say("bad control data", CALL(sendmsg(fd, &message, 0)));
  message.msg_controllen = 1 << 20;
  say("too much control data", CALL(sendmsg(fd, &message, 0)));
#endif
}

static void by_sendmmsg(int fd) {
  struct sockaddr_in local = at("127.0.0.1", 9);
  struct iovec parts[4];
  struct mmsghdr messages[4];

  for (int i = 0; i < 4; ++i)
    messages[i] = (struct mmsghdr){message_to(i == 2 ? &local : &name, &parts[i]), 0};
  say("sendmmsg", CALL(sendmmsg(fd, messages, 4, 0)));
  for (int i = 0; i < 4; ++i) printf("  %u bytes\n", messages[i].msg_len);
  messages[2].msg_hdr.msg_iov = (void *)8;
#ifdef __GLIBC__ /* musl leaves an errno behind */
  say("up to a bad one", CALL(sendmmsg(fd, messages, 4, 0)));
#endif
  messages[0].msg_hdr.msg_iov = (void *)8;
  say("from a bad one on", CALL(sendmmsg(fd, messages, 4, 0)));
  say("none", CALL(sendmmsg(fd, messages, 0, 0)));
#ifdef __GLIBC__
  say("bad messages", CALL(sendmmsg(fd, (void *)8, 2, 0)));
#endif
  say("no socket", CALL(sendmmsg(1000, messages, 2, 0)));
}

static void on_streams(void) {
  int pair[2], fd = socket(AF_INET, SOCK_STREAM, 0);
  struct iovec part;
  struct msghdr message = message_to(&name, &part);

  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  say("AF_UNIX", CALL(sendto(pair[0], bytes, 4, 0, NULL, 0)));
  say("AF_UNIX to a name", CALL(sendto(pair[0], bytes, 4, 0, (void *)&name, sizeof(name))));
  message.msg_name = NULL;
  message.msg_namelen = 0;
  say("AF_UNIX by sendmsg", CALL(sendmsg(pair[0], &message, 0)));
  say("unconnected", CALL(sendto(fd, bytes, 4, MSG_NOSIGNAL, (void *)&name, sizeof(name))));
  say("fast open, refused",
      CALL(sendto(fd, bytes, 4, MSG_FASTOPEN | MSG_NOSIGNAL, (void *)&name, sizeof(name))));
  close(fd);
  close(pair[0]);
  close(pair[1]);
}

int main(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);

  name = at(SERVER, 5353);
  by_sendto(fd);
  by_sendmsg(fd);
  by_sendmmsg(fd);
  on_streams();
  say_descriptors();
  return 0;
}
