/* What sockets are after calls that are none of the preload's business: options, names, results. */
#include <netinet/tcp.h>

#include "transcript.h"

static const struct {
  const char *name;
  int level, option;
} options[] = {{"NO_PORT", IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT},
               {"LOOP", IPPROTO_IP, IP_MULTICAST_LOOP},
               {"PKTINFO", IPPROTO_IP, IP_PKTINFO},
               {"FREEBIND", IPPROTO_IP, IP_FREEBIND},
               {"V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY},
               {"RECVPKTINFO", IPPROTO_IPV6, IPV6_RECVPKTINFO},
               {"MARK", SOL_SOCKET, SO_MARK},
               {"DEVICE", SOL_SOCKET, SO_BINDTOIFINDEX},
               {"REUSEADDR", SOL_SOCKET, SO_REUSEADDR},
               {"OOBINLINE", SOL_SOCKET, SO_OOBINLINE},
               {"ERROR", SOL_SOCKET, SO_ERROR}};

static void say_options(const char *what, int fd) {
  printf("%s:", what);
  for (size_t i = 0; i < sizeof(options) / sizeof(*options); ++i) {
    int value = 0;
    socklen_t size = sizeof(value);
    if (!getsockopt(fd, options[i].level, options[i].option, &value, &size))
      printf(" %s %d", options[i].name, value);
  }
  printf("\n");
}

static void use(const char *what, int fd) {
  struct sockaddr_in name = at(SERVER, 9);
  struct iovec part = {"x", 1};
  struct mmsghdr message = {
      {.msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = &part, .msg_iovlen = 1}, 0};
  const int quiet = MSG_NOSIGNAL | MSG_DONTWAIT;
  char bytes[8];
  socklen_t size = sizeof(name);

  say_options(what, fd);
  say("sendto", CALL(sendto(fd, "x", 1, quiet, (void *)&name, sizeof(name))));
  say("sendmsg", CALL(sendmsg(fd, &message.msg_hdr, quiet)));
  say("sendmmsg", CALL(sendmmsg(fd, &message, 1, quiet)));
  say("recvfrom", CALL(recvfrom(fd, bytes, 8, MSG_DONTWAIT, (void *)&name, &size)));
  say("recvmsg", CALL(recvmsg(fd, &message.msg_hdr, MSG_DONTWAIT)));
  say("recvmmsg", CALL(recvmmsg(fd, &message, 1, MSG_DONTWAIT, NULL)));
  name = at(SERVER, 9);
  say("connect", CALL(connect(fd, (void *)&name, sizeof(name))));
  say_options(what, fd);
  close(fd);
}

static int bound(int type, const char *address, int listening) {
  struct sockaddr_in name = at(address, 0);
  const int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);

  bind(fd, (void *)&name, sizeof(name));
  if (listening) listen(fd, 8);
  return fd;
}

static void on_accepted(void) {
  struct sockaddr_in name;
  socklen_t size = sizeof(name);
  const int listening = bound(SOCK_STREAM, "127.0.0.1", 1), fd = socket(AF_INET, SOCK_STREAM, 0);

  getsockname(listening, (void *)&name, &size);
  connect(fd, (void *)&name, sizeof(name));
  use("accepted", accept(listening, NULL, NULL));
  use("connected to here", fd);
  use("listening", listening);
}

static void on_options_set(int level, int option, const void *value, socklen_t size) {
  for (int i = 0; i < 2; ++i) {
    const int fd = socket(AF_INET, (i ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0);
    if (setsockopt(fd, level, option, value, size))
      close(fd); /* the mark of an ordinary user's */
    else
      use("with an option of the program's", fd);
  }
}

int main(void) {
  const int mark = 7;
  int pair[2];

  use("no socket", open("/dev/null", O_RDWR));
  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  use("AF_UNIX, stream", pair[0]);
  socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
  use("AF_UNIX, datagrams", pair[0]);
  use("AF_NETLINK", socket(AF_NETLINK, SOCK_RAW, 0));
  on_accepted();
  use("bound stream", bound(SOCK_STREAM, "10.0.0.1", 0));
  use("bound to loopback", bound(SOCK_DGRAM, "127.0.0.1", 0));
  use("bound datagrams", bound(SOCK_DGRAM, "10.0.0.1", 0));
  on_options_set(SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5);
  on_options_set(SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
  return 0;
}
