/*
 * sends ADDRESS...: asks the server at port 7 of each who this is, by every call that sends a
 * datagram, and prints its answer, a line each: "sendto 10.1.0.1 40000".
 */
#include <sys/syscall.h>
#include <sys/time.h>

#include "transcript.h"

#define WAYS 7

static union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} name;
static socklen_t size;

static const char *const ways[WAYS] = {"connect",         "sendto",         "sendmsg",
                                       "sendmmsg",        "syscall sendto", "syscall sendmsg",
                                       "syscall sendmmsg"};

static long ask(int way, int fd) {
  struct iovec part = {"x", 1};
  struct mmsghdr message = {
      {.msg_name = &name, .msg_namelen = size, .msg_iov = &part, .msg_iovlen = 1}, 0};

  switch (way) {
    case 0:
      return connect(fd, &name.any, size) ? -1 : send(fd, "x", 1, 0);
    case 1:
      return sendto(fd, "x", 1, 0, &name.any, size);
    case 2:
      return sendmsg(fd, &message.msg_hdr, 0);
    case 3:
      return sendmmsg(fd, &message, 1, 0);
    case 4:
      return syscall(SYS_sendto, fd, "x", 1, 0, &name, size);
    case 5:
      return syscall(SYS_sendmsg, fd, &message.msg_hdr, 0);
    default:
      return syscall(SYS_sendmmsg, fd, &message, 1, 0);
  }
}

int main(int argc, char **argv) {
  const struct timeval patience = {20, 0};
  char answer[128];

  for (int i = 1; i < argc * WAYS - WAYS + 1; ++i) {
    const char *address = argv[(i - 1) / WAYS + 1];
    const int way = (i - 1) % WAYS, v6 = strchr(address, ':') != NULL;
    const int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    ssize_t count;

    if (v6)
      name.v6 = at6(address, 7);
    else
      name.v4 = at(address, 7);
    size = v6 ? sizeof(name.v6) : sizeof(name.v4);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    count = ask(way, fd) == 1 ? recv(fd, answer, sizeof(answer) - 1, 0) : -1;
    answer[count < 0 ? 0 : count] = 0;
    answer[strcspn(answer, " \n")] = 0;
    printf("%s %s\n", ways[way], count < 0 ? strerror(errno) : answer);
    close(fd);
  }
  return 0;
}
