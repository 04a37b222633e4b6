// crowd [-r] [-t THREADS] [-n COUNT] ADDR PORT [ADDR PORT]...
// crowd -l PORT
//
// Each of THREADS threads (1) makes COUNT (1) TCP connections to each destination, one after the
// other and all threads at once, and prints a line for each: the destination, then the local
// address and port, or why it failed: "192.0.2.80 80 10.0.0.1 40000", "192.0.2.80 80
// EADDRNOTAVAIL". Then "done"; the connections stay until stdin ends.
//
//   -r       once more from the beginning, until stdin ends; every connection is reset at once
//   -l PORT  instead: listen on PORT of every IPv4 address, print "listening", accept nothing
//
// Exit status 0 whatever connect() said, 1 if another call failed, or 2 for bad usage.

#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sockets.h"

static struct {
  bool repeated;
  long threads, count;
  char **destinations;
  int destination_count;
  pthread_barrier_t start;
} crowd = {.threads = 1, .count = 1};

static bool input_ended(void) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  return poll(&input, 1, 0) != 0;
}

static void reset(int fd) {
  const struct linger now = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close(fd);
}

static void connect_once(const char *host, const char *port, const struct addrinfo *to) {
  const int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  const int error = connect(fd, to->ai_addr, to->ai_addrlen) == 0 ? 0 : errno;
  flockfile(stdout);
  printf("%s %s ", host, port);
  if (error)
    printf("%s", strerrorname_np(error));
  else
    print_local_end(fd);
  puts("");
  funlockfile(stdout);
  if (crowd.repeated) reset(fd);
}

static void *connect_all(void *argument) {
  (void)argument;
  pthread_barrier_wait(&crowd.start);
  do {
    for (int i = 0; i < crowd.destination_count; i += 2) {
      const char *host = crowd.destinations[i], *port = crowd.destinations[i + 1];
      struct addrinfo *to = resolve(host, port, SOCK_STREAM, false);
      for (long n = 0; n < crowd.count; ++n) connect_once(host, port, to);
      freeaddrinfo(to);
    }
  } while (crowd.repeated && !input_ended());
  return NULL;
}

static int attend(void) {
  pthread_t threads[crowd.threads];
  pthread_barrier_init(&crowd.start, NULL, (unsigned)crowd.threads);
  for (long i = 0; i < crowd.threads; ++i)
    if (pthread_create(&threads[i], NULL, connect_all, NULL) != 0) fail("pthread_create");
  for (long i = 0; i < crowd.threads; ++i) pthread_join(threads[i], NULL);
  puts("done");
  fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) continue;
  return 0;
}

static int attract(const char *port) {
  const struct sockaddr_in any = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)atoi(port))};
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) != 0) fail("bind");
  if (listen(fd, 65535) != 0) fail("listen");
  puts("listening");
  fflush(stdout);
  for (;;) pause();
}

int main(int argc, char **argv) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  for (int c; (c = getopt(argc, argv, "rt:n:l:")) != -1;) switch (c) {
      case 'r':
        crowd.repeated = true;
        break;
      case 't':
        crowd.threads = atol(optarg);
        break;
      case 'n':
        crowd.count = atol(optarg);
        break;
      case 'l':
        return attract(optarg);
      default:
        return 2;
    }
  crowd.destinations = argv + optind;
  crowd.destination_count = argc - optind;
  if (crowd.threads < 1 || crowd.destination_count < 2 || crowd.destination_count % 2) return 2;
  return attend();
}
