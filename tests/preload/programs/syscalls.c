/* libc's syscall(): the same calls, and all others. */
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "transcript.h"

int main(void) {
  struct sockaddr_in name = at(SERVER, 9), own;
  struct iovec part = {"x", 1};
  struct msghdr message = {
      .msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = &part, .msg_iovlen = 1};
  struct mmsghdr messages[2] = {{message, 0}, {message, 0}};
  socklen_t size = sizeof(own);
  char bytes[4];
  int status, fd = socket(AF_INET, SOCK_DGRAM, 0), pair[2];
  long child;

  say("getpid", CALL(syscall(SYS_getpid)) == getpid());
  say("no such call", CALL(syscall(-1)));
  say("connect", CALL(syscall(SYS_connect, fd, &name, sizeof(name))));
  say("getsockname", CALL(syscall(SYS_getsockname, fd, &own, &size)));
  close(fd);
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  say("sendto", CALL(syscall(SYS_sendto, fd, "x", 1, 0, &name, sizeof(name))));
  say("sendmsg", CALL(syscall(SYS_sendmsg, fd, &message, 0)));
  say("sendmmsg", CALL(syscall(SYS_sendmmsg, fd, messages, 2, 0)));
  say("bad message", CALL(syscall(SYS_sendmsg, fd, 8, 0)));
  socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
  say("send", CALL(syscall(SYS_sendto, pair[0], "abc", 3, 0, NULL, 0)));
  say("recvfrom", CALL(syscall(SYS_recvfrom, pair[1], bytes, 4, 0, NULL, NULL)));
  say("six arguments",
      CALL(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &(struct timespec){0, 1}, NULL)));
  child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (!child) _exit(7);
  waitpid((pid_t)child, &status, 0);
  say("a child by clone", WEXITSTATUS(status));
  say_descriptors();
  return 0;
}
