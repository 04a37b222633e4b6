/* The source at every moment in a program's life, a line each; and what connecting allocates. */
#include <pthread.h>
#include <sys/wait.h>

#include "transcript.h"

extern char early_source[];
extern void *__libc_malloc(size_t size);

static int allocations;
static pthread_key_t key;

void *malloc(size_t size) {
  __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
  return __libc_malloc(size);
}

static void say_source(const char *moment) {
  struct sockaddr_in name = at(SERVER, 9), own = {0};
  socklen_t size = sizeof(own);
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  char text[INET_ADDRSTRLEN];

  connect(fd, (void *)&name, sizeof(name));
  getsockname(fd, (void *)&own, &size);
  close(fd);
  dprintf(1, "%s: %s\n", moment, inet_ntop(AF_INET, &own.sin_addr, text, sizeof(text)));
}

static void at_thread_end(void *unused) {
  (void)unused;
  say_source("TLS destructor");
}

static void *run(void *unused) {
  pthread_setspecific(key, "");
  say_source("thread");
  if (!fork()) {
    say_source("fork in a thread");
    _exit(0);
  }
  wait(NULL);
  return unused;
}

static void at_end(void) {
  say_source("atexit");
}

__attribute__((destructor)) static void at_very_end(void) {
  say_source("destructor");
}

int main(void) {
  struct sockaddr_in name = at(SERVER, 9);
  struct iovec part = {"x", 1};
  struct mmsghdr message = {
      {.msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = &part, .msg_iovlen = 1}, 0};
  pthread_t thread;
  pthread_attr_t small;
  int before;

  dprintf(1, "constructor: %s\n", early_source);
  say_source("main");
  atexit(at_end);
  pthread_key_create(&key, at_thread_end);
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, (size_t)sysconf(_SC_THREAD_STACK_MIN));
  pthread_create(&thread, &small, run, NULL);
  pthread_join(thread, NULL);
  before = allocations;
  for (int i = 0; i < 100; ++i) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char byte;
    struct sockaddr_in any = at("0.0.0.0", 0);
    socklen_t size = sizeof(any);

    sendto(fd, "x", 1, 0, (void *)&name, sizeof(name));
    sendmsg(fd, &message.msg_hdr, 0);
    sendmmsg(fd, &message, 1, 0);
    recvfrom(fd, &byte, 1, MSG_DONTWAIT, (void *)&any, &size);
    connect(fd, (void *)&name, sizeof(name));
    close(fd);
  }
  dprintf(1, "allocations: %d\n", allocations - before);
  return 0;
}
