/* Descriptors across dup(), exec() and O_CLOEXEC: what the new program has is what the old one
 * meant it to have. */
#include <sys/resource.h>
#include <sys/wait.h>

#include "transcript.h"

static void after_exec(int kept, int closed) {
  struct sockaddr_in name = at(SERVER, 9);

  say_descriptors();
  say("the one that is kept", CALL(connect(kept, (void *)&name, sizeof(name))));
  say("the one that is closed", CALL(connect(closed, (void *)&name, sizeof(name))));
}

int main(int argc, char **argv) {
  struct sockaddr_in name = at(SERVER, 9);
  const int kept = socket(AF_INET, SOCK_DGRAM, 0);
  const int closed = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  char numbers[2][16];
  int next, status;

  if (argc > 2) {
    close(kept);
    close(closed);
    after_exec(atoi(argv[1]), atoi(argv[2]));
    return 0;
  }
  say("connect", CALL(connect(kept, (void *)&name, sizeof(name))));
  say("connect, to be closed", CALL(connect(closed, (void *)&name, sizeof(name))));
  /* The numbers of descriptors are as they were: the lowest one that is free comes next. */
  next = dup(kept);
  say("dup", next - closed);
  say("a duplicate", CALL(connect(next, (void *)&name, sizeof(name))));
  say("a number by fcntl", CALL(fcntl(kept, F_DUPFD_CLOEXEC, 2000) < 0));
  close(next);
  snprintf(numbers[0], sizeof(numbers[0]), "%d", kept);
  snprintf(numbers[1], sizeof(numbers[1]), "%d", closed);
  fflush(stdout);
  if (!fork()) {
    execl("/proc/self/exe", argv[0], numbers[0], numbers[1], NULL);
    _exit(9);
  }
  wait(&status);
  say("exec", WEXITSTATUS(status));
  return 0;
}
