// uring WAY ADDRESS [WAY ADDRESS]...: as ways.py, by io_uring.
//
// WAY is connect or send, carried out by the caller itself; with "-worker", by a thread of the
// kernel's; with "-polled", by the thread that polls the ring. Prints the same lines.

#define _GNU_SOURCE
#include <liburing.h>
#include <stdbool.h>
#include <unistd.h>

#include "sockets.h"

// The result of the one operation that `entry` stands for.
static int carry_out(struct io_uring *ring, struct io_uring_sqe *entry, bool worker) {
  struct io_uring_cqe *done;
  if (worker) entry->flags |= IOSQE_ASYNC;
  int error = io_uring_submit(ring);
  if (error < 0) return error;
  error = io_uring_wait_cqe(ring, &done);
  if (error < 0) return error;
  const int result = done->res;
  io_uring_cqe_seen(ring, done);
  return result;
}

static int open_flow(struct io_uring *ring, int fd, const struct addrinfo *to, bool worker) {
  struct io_uring_sqe *entry = io_uring_get_sqe(ring);
  struct iovec byte = {.iov_base = "x", .iov_len = 1};
  struct msghdr message = {
      .msg_name = to->ai_addr, .msg_namelen = to->ai_addrlen, .msg_iov = &byte, .msg_iovlen = 1};
  if (to->ai_socktype == SOCK_STREAM)
    io_uring_prep_connect(entry, fd, to->ai_addr, to->ai_addrlen);
  else
    io_uring_prep_sendmsg(entry, fd, &message, 0);
  return carry_out(ring, entry, worker);
}

// The ring interrupts calls of its owner when it has finished something.
static bool receive(int fd, char *answer, size_t size) {
  ssize_t got;
  do got = recv(fd, answer, size, 0);
  while (got < 0 && errno == EINTR);
  return got > 0;
}

static void ask(const char *way, const char *address) {
  struct io_uring ring;
  struct io_uring_params how = {.flags = strstr(way, "-polled") ? IORING_SETUP_SQPOLL : 0};
  const int type = strncmp(way, "connect", 7) == 0 ? SOCK_STREAM : SOCK_DGRAM;
  const struct timeval patience = {.tv_sec = 20};
  char answer[64] = "";
  errno = -io_uring_queue_init_params(4, &ring, &how);
  if (errno) fail("io_uring_queue_init_params");
  struct addrinfo *to = resolve(address, "7", type, false);
  const int fd = socket(to->ai_family, type, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  const int result = open_flow(&ring, fd, to, strstr(way, "-worker"));
  if (result < 0) {
    printf("%s\n", strerrorname_np(-result));
  } else if (!receive(fd, answer, sizeof(answer) - 1)) {
    printf("%s\n", strerrorname_np(errno));
  } else {
    answer[strcspn(answer, "\n")] = 0;
    printf("%s ", answer);
    print_local_end(fd);
    puts("");
  }
  fflush(stdout);
  io_uring_queue_exit(&ring);
  freeaddrinfo(to);
}

int main(int argc, char **argv) {
  for (int i = 1; i + 1 < argc; i += 2) ask(argv[i], argv[i + 1]);
  return 0;
}
