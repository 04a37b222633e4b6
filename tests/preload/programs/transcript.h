/*
 * transcript.h: what a program saw, a line for each call: the same with the preload and without, or
 * the preload is to blame. Nothing that differs from run to run is written.
 */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* In the lab, behind a router; nobody listens on port 9. */
#define SERVER "192.0.2.80"
#define SERVER6 "2001:db8:80::80"

/* A value that no call leaves behind: a success must not change it. */
#define UNTOUCHED 4242

static inline void say(const char *what, long result) {
  printf("%s: %ld %s\n", what, result,
         result < 0           ? strerror(errno)
         : errno == UNTOUCHED ? ""
                              : "errno changed");
  fflush(stdout);
  errno = UNTOUCHED;
}

/* say("connect", CALL(connect(...))) */
#define CALL(call) (errno = UNTOUCHED, (long)(call))

static inline struct sockaddr_in at(const char *address, int port) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  inet_pton(AF_INET, address, &name.sin_addr);
  return name;
}

static inline struct sockaddr_in6 at6(const char *address, int port) {
  struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  inet_pton(AF_INET6, address, &name.sin6_addr);
  return name;
}

/* The descriptors in use: how many, and the highest. */
static inline void say_descriptors(void) {
  DIR *all = opendir("/proc/self/fd");
  int count = 0, highest = 0;
  for (struct dirent *entry; (entry = readdir(all));) {
    const int fd = atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == dirfd(all)) continue;
    ++count;
    if (fd > highest) highest = fd;
  }
  closedir(all);
  printf("descriptors: %d, highest %d\n", count, highest);
}

#endif /* TRANSCRIPT_H */
