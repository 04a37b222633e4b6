/* connect(): all that can go wrong, and sockets that are none of the preload's business. */
#include <poll.h>

#include "transcript.h"

static void on_wrong_arguments(void) {
  struct sockaddr_in name = at(SERVER, 9);
  int fd = socket(AF_INET, SOCK_STREAM, 0), null = open("/dev/null", O_RDONLY);

  say("descriptor -1", CALL(connect(-1, (void *)&name, sizeof(name))));
  say("descriptor 4000", CALL(connect(4000, (void *)&name, sizeof(name))));
  say("no socket", CALL(connect(null, (void *)&name, sizeof(name))));
  say("no name", CALL(connect(fd, NULL, sizeof(name))));
  say("bad pointer", CALL(connect(fd, (void *)8, sizeof(name))));
  say("short name", CALL(connect(fd, (void *)&name, 7)));
  say("no size", CALL(connect(fd, (void *)&name, 0)));
  say("long name", CALL(connect(fd, (void *)&name, 129)));
  say("negative size", CALL(connect(fd, (void *)&name, (socklen_t)-1)));
  name.sin_family = 77;
  say("unknown family", CALL(connect(fd, (void *)&name, sizeof(name))));
  close(null);
  close(fd);
}

/* The name at the very end of a page, and across two. */
static void on_edges(void) {
  const long page = sysconf(_SC_PAGESIZE);
  char *pages = aligned_alloc((size_t)page, 2 * (size_t)page);
  struct sockaddr_in name = at(SERVER, 9);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);

  memcpy(pages + page - 16, &name, sizeof(name));
  say("at the end of a page", CALL(connect(fd, (void *)(pages + page - 16), sizeof(name))));
  memcpy(pages + page - 5, &name, sizeof(name));
  say("across pages", CALL(connect(fd, (void *)(pages + page - 5), sizeof(name))));
  say("the name is unchanged", memcmp(pages + page - 5, &name, sizeof(name)));
  close(fd);
  free(pages);
}

static void on_results(int family, const struct sockaddr *name, socklen_t size) {
  int fd = socket(family, SOCK_STREAM, 0);
  struct pollfd polled;
  int error;
  socklen_t error_size = sizeof(error);

  say("refused", CALL(connect(fd, name, size)));
  say("refused again", CALL(connect(fd, name, size)));
  close(fd);
  fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  say("in progress", CALL(connect(fd, name, size)));
  polled = (struct pollfd){fd, POLLOUT, 0};
  poll(&polled, 1, 10000);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
  printf("in the end: %s\n", strerror(error));
  close(fd);
  fd = socket(family, SOCK_DGRAM, 0);
  say("datagrams", CALL(connect(fd, name, size)));
  say("datagrams again", CALL(connect(fd, name, size)));
  say("dissolved",
      CALL(connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr))));
  say("once more", CALL(connect(fd, name, size)));
  close(fd);
}

/* One socket to both families, by connect() and by sendto(). From IPv4 to IPv6 the kernel has no
 * way, unless the socket was at IPv6 before. */
static void on_both_families(int only) {
  struct sockaddr_in6 names[] = {at6(SERVER6, 9), at6("::ffff:" SERVER, 9), at6("::1", 9),
                                 at6("::ffff:127.0.0.1", 9)};

  for (int i = 0; i < 16; ++i) {
    struct sockaddr *here = (void *)&names[i / 4], *there = (void *)&names[i % 4];
    int fd;

    if (i / 4 % 2 == 1 && i % 2 == 0) continue;
    fd = socket(AF_INET6, SOCK_DGRAM, 0);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
    printf("from %d to %d\n", i / 4, i % 4);
    say("connect to the one", CALL(connect(fd, here, sizeof(*names))));
    if (i / 4 < 2 || i / 4 == i % 4) /* from loopback there is no way out */
      say("send to the other", CALL(sendto(fd, "x", 1, 0, there, sizeof(*names))));
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &(int){0}, &(socklen_t){sizeof(int)});
    say("connect to the other", CALL(connect(fd, there, sizeof(*names))));
    say("connect to the one again", CALL(connect(fd, here, sizeof(*names))));
    close(fd);
  }
}

/* Once a stream has tried IPv4, it waits in vain for IPv6. (6.18) */
static void on_both_families_by_stream(void) {
  struct sockaddr_in6 name = at6(SERVER6, 9), mapped = at6("::ffff:" SERVER, 9);
  const int fd = socket(AF_INET6, SOCK_STREAM, 0);

  say("a stream to the one", CALL(connect(fd, (void *)&name, sizeof(name))));
  say("and to the other", CALL(connect(fd, (void *)&mapped, sizeof(mapped))));
  close(fd);
}

/* AF_UNIX, listening, accepted, connected, bound. */
static void on_others(void) {
  struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "\0srcsel-nobody"};
  struct sockaddr_in local = at("127.0.0.1", 0), name = at(SERVER, 9), own;
  socklen_t size = sizeof(local);
  int pair[2], fd = socket(AF_UNIX, SOCK_STREAM, 0), listening = socket(AF_INET, SOCK_STREAM, 0);
  int accepted;

  say("AF_UNIX", CALL(connect(fd, (void *)&path, sizeof(path))));
  say("AF_UNIX to AF_INET", CALL(connect(fd, (void *)&name, sizeof(name))));
  close(fd);
  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  say("a pair", CALL(connect(pair[0], (void *)&name, sizeof(name))));
  close(pair[0]);
  close(pair[1]);
  say("bind", CALL(bind(listening, (void *)&local, sizeof(local))));
  listen(listening, 8);
  getsockname(listening, (void *)&local, &size);
  say("listening", CALL(connect(listening, (void *)&name, sizeof(name))));
  fd = socket(AF_INET, SOCK_STREAM, 0);
  say("to myself", CALL(connect(fd, (void *)&local, sizeof(local))));
  say("connected", CALL(connect(fd, (void *)&name, sizeof(name))));
  accepted = accept(listening, NULL, NULL);
  say("accepted", CALL(connect(accepted, (void *)&name, sizeof(name))));
  close(accepted);
  close(listening);
  close(fd);
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  local = at("10.0.0.1", 0);
  bind(fd, (void *)&local, sizeof(local));
  say("bound", CALL(connect(fd, (void *)&name, sizeof(name))));
  size = sizeof(own);
  getsockname(fd, (void *)&own, &size);
  printf("bound to %s\n", inet_ntoa(own.sin_addr));
  close(fd);
}

int main(void) {
  struct sockaddr_in name = at(SERVER, 9);
  struct sockaddr_in6 name6 = at6(SERVER6, 9), mapped = at6("::ffff:" SERVER, 9);

  on_wrong_arguments();
  on_edges();
  on_results(AF_INET, (void *)&name, sizeof(name));
  on_results(AF_INET6, (void *)&name6, sizeof(name6));
  on_results(AF_INET6, (void *)&mapped, sizeof(mapped));
  on_both_families(0);
  on_both_families(1);
  on_both_families_by_stream();
  on_others();
  say_descriptors();
  return 0;
}
