/*
 * answer 4|6 WAY: a UDP server of 1990: one socket on any address, which knows nothing of where it
 * was asked. It waits for two questions before it answers them, the last one first.
 */
#include <sys/syscall.h>

#include "transcript.h"

#define QUESTIONS 2

static char bytes[QUESTIONS][64];
static struct sockaddr_storage peers[QUESTIONS];
static struct iovec parts[QUESTIONS];
static struct mmsghdr messages[QUESTIONS];

static void clear(int i) {
  parts[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
  messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i],
                                        .msg_namelen = sizeof(peers[i]),
                                        .msg_iov = &parts[i],
                                        .msg_iovlen = 1};
}

static long by_call(int fd, int i, int answer) {
  struct msghdr *m = &messages[i].msg_hdr;

  if (answer) return sendto(fd, bytes[i], parts[i].iov_len, 0, m->msg_name, m->msg_namelen);
  return recvfrom(fd, bytes[i], sizeof(bytes[i]), 0, m->msg_name, &m->msg_namelen);
}

static long by_message(int fd, int i, int answer) {
  struct msghdr *m = &messages[i].msg_hdr;
  return answer ? sendmsg(fd, m, 0) : recvmsg(fd, m, 0);
}

static long by_syscall(int fd, int i, int answer) {
  return syscall(answer ? SYS_sendmsg : SYS_recvmsg, fd, &messages[i].msg_hdr, 0);
}

/* Both at once; what is received is turned around before it is answered. */
static int all_at_once(int fd) {
  struct mmsghdr turned[QUESTIONS];

  if (recvmmsg(fd, messages, QUESTIONS, 0, NULL) != QUESTIONS) return 1;
  for (int i = 0; i < QUESTIONS; ++i) {
    parts[i].iov_len = messages[i].msg_len;
    turned[QUESTIONS - 1 - i] = messages[i];
  }
  return sendmmsg(fd, turned, QUESTIONS, 0) != QUESTIONS;
}

static int one_by_one(int fd, long (*by)(int fd, int i, int answer)) {
  long count;

  for (int i = 0; i < QUESTIONS; ++i) {
    count = by(fd, i, 0);
    if (count < 0) return 1;
    parts[i].iov_len = (size_t)count;
  }
  for (int i = QUESTIONS - 1; i >= 0; --i)
    if (by(fd, i, 1) != (long)parts[i].iov_len) return 1;
  return 0;
}

int main(int argc, char **argv) {
  const int v6 = argc > 1 && !strcmp(argv[1], "6");
  const char *way = argc > 2 ? argv[2] : "";
  struct sockaddr_in any = at("0.0.0.0", 7);
  struct sockaddr_in6 any6 = at6("::", 7);
  const int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

  if (v6 ? bind(fd, (void *)&any6, sizeof(any6)) : bind(fd, (void *)&any, sizeof(any))) return 1;
  for (int i = 0; i < QUESTIONS; ++i) clear(i);
  printf("listening\n");
  fflush(stdout);
  if (!strcmp(way, "recvfrom")) return one_by_one(fd, by_call);
  if (!strcmp(way, "recvmsg")) return one_by_one(fd, by_message);
  if (!strcmp(way, "syscall")) return one_by_one(fd, by_syscall);
  return strcmp(way, "recvmmsg") ? 2 : all_at_once(fd);
}
