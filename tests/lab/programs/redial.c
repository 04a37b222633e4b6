// redial [-u] [-d] [-k] [-m MARK [-n MARK]] ADDR PORT [ADDR PORT]...
//
// Connects one and the same socket to each destination in turn, and prints a line for each: the
// local address and port, or why connect() failed ("ECONNREFUSED").
//
//   -u  UDP
//   -d  dissolve the association before each further destination (AF_UNSPEC), as a resolver does
//   -k  print the socket's mark as well ("10.0.0.1 40000 mark 100")
//   -m MARK  ask for that mark first (SO_MARK), and go on where it is refused
//   -n MARK  then give up all rights, and ask for that one
//
// Exit status 0 whatever connect() said, 1 if another call failed, or 2 for bad usage.

#define _GNU_SOURCE
#include <stdbool.h>
#include <unistd.h>

#include "sockets.h"

static void redial(int fd, const struct addrinfo *to, bool marks) {
  if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
    print_local_end(fd);
  else
    printf("%s", strerrorname_np(errno));
  if (marks) print_mark(fd);
  puts("");
}

static void dissolve(int fd) {
  const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
  if (connect(fd, &nobody, sizeof(nobody)) != 0) fail("connect to AF_UNSPEC");
}

static void ask(int fd, const char *word) {
  const unsigned mark = (unsigned)strtoul(word, NULL, 0);
  if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) != 0 && errno != EPERM)
    fail("SO_MARK");
}

static int open_socket(int family, int type, const char *asked, const char *asked_last) {
  const int fd = socket(family, type, 0);
  if (fd < 0) fail("socket");
  if (asked) ask(fd, asked);
  if (!asked_last) return fd;
  if (setresuid(65534, 65534, 65534) != 0) fail("setresuid");
  ask(fd, asked_last);
  return fd;
}

int main(int argc, char **argv) {
  int type = SOCK_STREAM;
  bool dissolving = false, marks = false;
  const char *asked = NULL, *asked_last = NULL;
  for (int c; (c = getopt(argc, argv, "udkm:n:")) != -1;) switch (c) {
      case 'u':
        type = SOCK_DGRAM;
        break;
      case 'd':
        dissolving = true;
        break;
      case 'k':
        marks = true;
        break;
      case 'm':
        asked = optarg;
        break;
      case 'n':
        asked_last = optarg;
        break;
      default:
        return 2;
    }
  int fd = -1;
  for (int i = optind; i + 1 < argc; i += 2) {
    struct addrinfo *to = resolve(argv[i], argv[i + 1], type, false);
    if (fd < 0) fd = open_socket(to->ai_family, type, asked, asked_last);
    if (dissolving && i > optind) dissolve(fd);
    redial(fd, to, marks);
    freeaddrinfo(to);
  }
  return 0;
}
