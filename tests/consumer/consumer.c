// The same as consumer.cc, in C.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <srcsel/srcsel.h>

static int fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, srcsel_last_error());
  return 1;
}

static int print_source(const struct srcsel_mirror *mirror) {
  struct srcsel_question question = {.size = sizeof(question)};
  struct srcsel_answer answer = {.size = sizeof(answer)};
  question.destination.v4.sin_family = AF_INET;
  inet_pton(AF_INET, "192.0.2.80", &question.destination.v4.sin_addr);
  if (srcsel_select(mirror, &question, &answer) < 0) return fail("select");
  char text[INET_ADDRSTRLEN];
  puts(inet_ntop(AF_INET, &answer.outcome.source.v4.sin_addr, text, sizeof(text)));
  return 0;
}

int main(void) {
  if (unshare(CLONE_NEWNET) != 0) return 1;
  if (system("ip link set lo up && ip address add 10.9.0.1/24 dev lo && "
             "ip address add 10.9.0.2/24 dev lo && ip route add default dev lo") != 0)
    return 1;
  const struct srcsel_open_options options = {.size = sizeof(options), .flags = SRCSEL_THREADLESS};
  struct srcsel_mirror *mirror = NULL;
  if (srcsel_open(&options, &mirror) < 0) return fail("open");
  if (print_source(mirror) != 0) return 1;
  if (system("ip route change default dev lo src 10.9.0.2") != 0) return 1;
  do {
    struct pollfd one = {.fd = srcsel_fd(mirror), .events = POLLIN};
    if (poll(&one, 1, 10000) != 1) return 1;
    if (srcsel_process(mirror) < 0) return fail("process");
  } while (srcsel_generation(mirror) == 1);
  const int failed = print_source(mirror);
  srcsel_close(&mirror);
  return failed;
}
