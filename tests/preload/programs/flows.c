/*
 * flows KIND ADDRESS PORT...: opens each flow; KIND is udp or tcp, which connect, or datagram,
 * which is sent without. A line for each: "10.1.0.1 40000 100", the source, its port and the
 * socket's mark; of a datagram to port 7 what the server saw, to another one "sent". Or what
 * failed.
 */
#include <sys/time.h>

#include "transcript.h"

union name {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

static void say_own_end(int fd) {
  union name own = {0};
  socklen_t size = sizeof(own);
  char text[INET6_ADDRSTRLEN];
  int mark = 0;

  getsockname(fd, &own.any, &size);
  if (own.any.sa_family == AF_INET6)
    inet_ntop(AF_INET6, &own.v6.sin6_addr, text, sizeof(text));
  else
    inet_ntop(AF_INET, &own.v4.sin_addr, text, sizeof(text));
  size = sizeof(mark);
  getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &size);
  printf("%s %d %d\n", text, ntohs(own.v4.sin_port), mark);
}

static void say_answer(int fd) {
  const struct timeval patience = {20, 0};
  char answer[64];
  ssize_t count;

  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  count = recv(fd, answer, sizeof(answer) - 1, 0);
  answer[count < 0 ? 0 : count] = 0;
  printf("%s\n", count < 0 ? strerror(errno) : strtok(answer, "\n"));
}

static void open_flow(const char *kind, const char *address, int port) {
  const int v6 = strchr(address, ':') != NULL, stream = !strcmp(kind, "tcp");
  const int type = stream ? SOCK_STREAM | SOCK_NONBLOCK : SOCK_DGRAM;
  const socklen_t size = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  const int fd = socket(v6 ? AF_INET6 : AF_INET, type, 0);
  const int connects = strcmp(kind, "datagram");
  union name name;

  if (v6)
    name.v6 = at6(address, port);
  else
    name.v4 = at(address, port);
  if (connects ? connect(fd, &name.any, size) && errno != EINPROGRESS
               : sendto(fd, "x", 1, 0, &name.any, size) != 1)
    printf("%s\n", strerror(errno));
  else if (connects)
    say_own_end(fd);
  else if (port != 7)
    printf("sent\n");
  else
    say_answer(fd);
  close(fd);
}

int main(int argc, char **argv) {
  for (int i = 1; i + 2 < argc; i += 3) open_flow(argv[i], argv[i + 1], atoi(argv[i + 2]));
  return 0;
}
