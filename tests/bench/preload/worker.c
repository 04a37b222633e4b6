/*
 * worker listen              accepts on port 7 and hangs up
 * worker connect tcp|udp N   the time of each of N connect() calls to 192.0.2.80: median, in ns
 * worker start N PROGRAM     the time from vfork() to the end of PROGRAM: median, in ns
 *
 * Plain C, as a program that knows nothing of srcsel. With BY_HAND=ADDR each connect() is preceded
 * by the calls without which nobody can know that the source is still free, and set it; with ASK=1
 * also by the kernel's route.
 */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static const int kAsked[] = {SO_PROTOCOL, SO_MARK, SO_BINDTOIFINDEX};

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000l + time.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  const long first = *(const long *)a, second = *(const long *)b;
  return (first > second) - (first < second);
}

static struct sockaddr_in port_7(const char *address) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(7)};
  inet_pton(AF_INET, address, &name.sin_addr);
  return name;
}

static int serve(void) {
  const struct sockaddr_in name = port_7("0.0.0.0");
  const int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(fd, (const void *)&name, sizeof(name)) || listen(fd, 4096)) return 1;
  puts("listening");
  fflush(stdout);
  for (;;) close(accept(fd, NULL, NULL));
}

static int set_source(int fd, const struct sockaddr_in *source) {
  unsigned long long netns;
  struct sockaddr_in own;
  socklen_t size = sizeof(own);
  int value;
  const int on = 1;

  if (getsockname(fd, (void *)&own, &size)) return -1;
  for (size_t i = 0; i < sizeof(kAsked) / sizeof(*kAsked); ++i) {
    size = sizeof(value);
    if (getsockopt(fd, SOL_SOCKET, kAsked[i], &value, &size)) return -1;
  }
  size = sizeof(netns);
  if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &netns, &size)) return -1;
  if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on))) return -1;
  return bind(fd, (const void *)source, sizeof(*source));
}

static int ask_route(void) {
  struct {
    struct nlmsghdr head;
    struct rtmsg route;
    struct rtattr of;
    in_addr_t destination;
  } ask = {.head = {sizeof(ask), RTM_GETROUTE, NLM_F_REQUEST, 0, 0},
           .route = {.rtm_family = AF_INET, .rtm_dst_len = 32},
           .of = {sizeof(ask.of) + sizeof(ask.destination), RTA_DST},
           .destination = port_7("192.0.2.80").sin_addr.s_addr};
  char answer[1024];
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  const int fails = send(fd, &ask, sizeof(ask), 0) != sizeof(ask) || recv(fd, answer, 1024, 0) < 0;

  close(fd);
  return fails;
}

static long time_connect(int type) {
  const struct sockaddr_in name = port_7("192.0.2.80");
  const char *by_hand = getenv("BY_HAND"), *ask = getenv("ASK");
  struct sockaddr_in source = port_7(by_hand ? by_hand : "0.0.0.0");
  const struct linger none = {1, 0};
  const int fd = socket(AF_INET, type, 0);
  long start, end;

  source.sin_port = 0;
  start = now();
  if (ask && ask_route()) exit(1);
  if (by_hand && set_source(fd, &source)) exit(1);
  if (connect(fd, (const void *)&name, sizeof(name))) exit(1);
  end = now();
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
  close(fd);
  return end - start;
}

static long time_start(char **argv) {
  extern char **environ;
  const long start = now();
  int status;
  pid_t pid;

  if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) || waitpid(pid, &status, 0) != pid ||
      status)
    exit(1);
  return now() - start;
}

int main(int argc, char **argv) {
  const int starts = argc > 3 && !strcmp(argv[1], "start");
  const int count = argc > 3 ? atoi(argv[starts ? 2 : 3]) : 0;
  long *times;

  if (argc == 2 && !strcmp(argv[1], "listen")) return serve();
  if (count < 1) return 2;
  times = malloc((size_t)count * sizeof(*times));
  for (int i = 0; i < count; ++i)
    times[i] = starts ? time_start(argv + 3)
                      : time_connect(strcmp(argv[2], "tcp") ? SOCK_DGRAM : SOCK_STREAM);
  qsort(times, (size_t)count, sizeof(*times), ascending);
  printf("%ld\n", times[count / 2]);
  free(times);
  return 0;
}
