/*
 * worker listen              accepts on port 7 and hangs up
 * worker connect tcp|udp N   the time of each of N connect() calls to 192.0.2.80: median, in ns
 * worker start N PROGRAM     the time from vfork() to the end of PROGRAM: median, in ns
 *
 * Plain C, as a program that knows nothing of srcsel.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

static long time_connect(int type) {
  const struct sockaddr_in name = port_7("192.0.2.80");
  const struct linger none = {1, 0};
  const int fd = socket(AF_INET, type, 0);
  const long start = now();
  long end;

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
