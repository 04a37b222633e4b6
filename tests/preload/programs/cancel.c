/* Threads that are cancelled: where calls of libc end them, and nowhere else. */
#include <pthread.h>

#include "transcript.h"

static struct sockaddr_in name;
static int fd;

static void *bind_when_cancelled(void *ended) {
  struct sockaddr_in any = at("0.0.0.0", 0);

  pthread_cancel(pthread_self());
  bind(fd, (void *)&any, sizeof(any));
  *(int *)ended = 0;
  pthread_testcancel();
  return NULL;
}

static void *connect_when_cancelled(void *ended) {
  pthread_cancel(pthread_self());
  connect(fd, (void *)&name, sizeof(name));
  *(int *)ended = 0;
  return NULL;
}

static void *receive_until_cancelled(void *ended) {
  char bytes[8];
  struct sockaddr_in peer;
  socklen_t size = sizeof(peer);

  recvfrom(fd, bytes, sizeof(bytes), 0, (void *)&peer, &size);
  *(int *)ended = 0;
  return NULL;
}

static void try(const char *what, void *(*run)(void *)) {
  pthread_t thread;
  void *result;
  int ended = 1;

  fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (run == receive_until_cancelled) {
    struct sockaddr_in any = at("0.0.0.0", 0);
    bind(fd, (void *)&any, sizeof(any));
  }
  pthread_create(&thread, NULL, run, &ended);
  if (run == receive_until_cancelled) pthread_cancel(thread);
  pthread_join(thread, &result);
  printf("%s: %s in the call, %s\n", what, ended ? "ended" : "not ended",
         result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
  close(fd);
}

int main(void) {
  name = at(SERVER, 9);
  try("bind", bind_when_cancelled);
  try("connect", connect_when_cancelled);
  try("recvfrom", receive_until_cancelled);
  return 0;
}
