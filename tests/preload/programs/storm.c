/*
 * storm THREADS ROUNDS SOURCE SOURCE...: threads that connect, and fork children that connect, and
 * signals that connect in between, while somebody replaces the image. Every source must be one of
 * those named. Status 0, or 1 and what was seen.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "transcript.h"

static char **sources;
static int rounds;
static atomic_int connections, wrong;

static void try(void) {
  const struct sockaddr_in name = at(SERVER, 9);
  struct sockaddr_in own = {0};
  socklen_t size = sizeof(own);
  char text[INET_ADDRSTRLEN];
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int failed = fd < 0 || connect(fd, (const void *)&name, sizeof(name)) ||
                     getsockname(fd, (void *)&own, &size);

  if (fd >= 0) close(fd);
  inet_ntop(AF_INET, &own.sin_addr, text, sizeof(text));
  atomic_fetch_add(&connections, 1);
  for (char **source = sources; *source && !failed; ++source)
    if (!strcmp(*source, text)) return;
  atomic_fetch_add(&wrong, 1);
}

static void on_signal(int number) {
  const int before = errno;
  (void)number;
  try();
  errno = before;
}

static void try_in_a_child(void) {
  int status = 0;
  const pid_t child = fork();

  if (!child) {
    atomic_store(&wrong, 0);
    for (int i = 0; i < 20; ++i) try();
    _exit(atomic_load(&wrong) != 0);
  }
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (status) atomic_fetch_add(&wrong, 1);
}

static void *run(void *unused) {
  for (int i = 0; i < rounds; ++i) {
    if (i % 64 == 63) try_in_a_child();
    try();
  }
  return unused;
}

int main(int argc, char **argv) {
  const int count = argc > 3 ? atoi(argv[1]) : 0;
  const struct itimerval often = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
  pthread_t *threads = calloc((size_t)count, sizeof(*threads));
  pthread_attr_t small;

  rounds = argc > 3 ? atoi(argv[2]) : 0;
  sources = argv + 3;
  signal(SIGALRM, on_signal);
  setitimer(ITIMER_REAL, &often, NULL);
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 256 * 1024);
  for (int i = 0; i < count; ++i)
    if (pthread_create(&threads[i], &small, run, NULL)) return 2;
  for (int i = 0; i < count; ++i) pthread_join(threads[i], NULL);
  setitimer(ITIMER_REAL, &never, NULL);
  printf("%d connections, %d wrong\n", atomic_load(&connections), atomic_load(&wrong));
  free(threads);
  return atomic_load(&wrong) != 0 || !count;
}
