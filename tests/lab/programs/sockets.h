// What the test programs share: numeric addresses, the local end, and a short way out.

#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// Exit status 1 with the failed call and the name of its errno on stderr.
static inline _Noreturn void fail(const char *call) {
  fprintf(stderr, "%s: %s\n", call, strerrorname_np(errno));
  exit(1);
}

// With `inet6` also an IPv4 address becomes one of AF_INET6, ::ffff:a.b.c.d. Never returns NULL.
static inline struct addrinfo *resolve(const char *host, const char *port, int type, int inet6) {
  const struct addrinfo hints = {
      .ai_family = inet6 ? AF_INET6 : AF_UNSPEC,
      .ai_socktype = type,
      .ai_flags = AI_NUMERICSERV | (inet6 ? AI_V4MAPPED : AI_NUMERICHOST),
  };
  struct addrinfo *found;
  const int error = getaddrinfo(host, port, &hints, &found);
  if (error == 0) return found;
  fprintf(stderr, "%s port %s: %s\n", host, port, gai_strerror(error));
  exit(2);
}

// "10.0.0.1 40000", without a newline.
static inline void print_local_end(int fd) {
  struct sockaddr_storage local;
  socklen_t size = sizeof(local);
  if (getsockname(fd, (struct sockaddr *)&local, &size) != 0) fail("getsockname");
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (getnameinfo((struct sockaddr *)&local, size, host, sizeof(host), port, sizeof(port),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    fail("getnameinfo");
  printf("%s %s", host, port);
}

// " mark 100", without a newline.
static inline void print_mark(int fd) {
  unsigned mark;
  socklen_t size = sizeof(mark);
  if (getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &size) != 0) fail("getsockopt");
  printf(" mark %u", mark);
}
