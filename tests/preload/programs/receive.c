/* recvfrom(), recvmsg(), recvmmsg() and bind(): also when answers get their source. */
#include <time.h>

#include "transcript.h"

static struct sockaddr_in to_server;
static int client;

static void ask(void) {
  sendto(client, "question", 8, 0, (void *)&to_server, sizeof(to_server));
}

static void by_recvfrom(int fd) {
  char bytes[16] = {0};
  struct sockaddr_in peer;
  socklen_t size = sizeof(peer);

  ask();
  say("recvfrom", CALL(recvfrom(fd, bytes, sizeof(bytes), 0, (void *)&peer, &size)));
  printf("%s from %s, %u bytes of name\n", bytes, inet_ntoa(peer.sin_addr), size);
  ask();
  size = 6;
  say("a short name", CALL(recvfrom(fd, bytes, 3, 0, (void *)&peer, &size)));
  printf("%u bytes of name\n", size);
  ask();
  say("no name", CALL(recvfrom(fd, bytes, sizeof(bytes), MSG_TRUNC, NULL, NULL)));
  say("nothing there",
      CALL(recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, (void *)&peer, &size)));
  ask();
  size = (socklen_t)-1;
  say("negative size",
      CALL(recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, (void *)&peer, &size)));
  ask();
  say("bad bytes", CALL(recvfrom(fd, (void *)8, 4, MSG_DONTWAIT, NULL, NULL)));
  while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0) continue;
}

static void by_recvmsg(int fd, size_t room) {
  char bytes[16] = {0}, control[128] = {0};
  struct sockaddr_in peer;
  struct iovec part = {bytes, sizeof(bytes)};
  struct msghdr message = {.msg_name = &peer,
                           .msg_namelen = sizeof(peer),
                           .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = room};

  ask();
  say("recvmsg", CALL(recvmsg(fd, &message, 0)));
  printf("room for %zu bytes of control data: %zu, flags %x, %u bytes of name\n", room,
         (size_t)message.msg_controllen, message.msg_flags, message.msg_namelen);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
    printf("  %d %d %zu\n", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
  for (size_t i = room; i < sizeof(control); ++i)
    if (control[i]) printf("written beyond the room\n");
}

static void by_recvmmsg(int fd) {
  char bytes[3][16] = {0};
  struct iovec parts[3];
  struct mmsghdr messages[3] = {0};
  struct timespec soon = {0, 1000000};

  for (int i = 0; i < 3; ++i) {
    parts[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    ask();
  }
  say("recvmmsg", CALL(recvmmsg(fd, messages, 3, 0, NULL)));
  for (int i = 0; i < 3; ++i) printf("  %u bytes\n", messages[i].msg_len);
  ask();
  say("wait for one", CALL(recvmmsg(fd, messages, 3, MSG_WAITFORONE, NULL)));
  ask();
  say("not long", CALL(recvmmsg(fd, messages, 1, 0, &soon)));
  say("none", CALL(recvmmsg(fd, messages, 3, MSG_DONTWAIT, NULL)));
}

int main(void) {
  struct sockaddr_in any = at("0.0.0.0", 0);
  socklen_t size = sizeof(any);
  const int on = 1;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);

  client = socket(AF_INET, SOCK_DGRAM, 0);
  say("bind", CALL(bind(fd, (void *)&any, sizeof(any))));
  say("bind again", CALL(bind(fd, (void *)&any, sizeof(any))));
  say("bind nothing", CALL(bind(-1, (void *)&any, sizeof(any))));
  getsockname(fd, (void *)&any, &size);
  to_server = at("127.0.0.1", ntohs(any.sin_port));
  by_recvfrom(fd);
  by_recvmsg(fd, 0);
  by_recvmsg(fd, 64);
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on));
  setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on));
  for (size_t room = 0; room <= 128; room += 8) by_recvmsg(fd, room);
  by_recvmmsg(fd);
  say_descriptors();
  return 0;
}
