/* libc's syscall(): the same calls, and all others. */
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "transcript.h"

/* Also bound once more after a decision, and receiving where answers get their source. */
static void on_a_server(void) {
  struct sockaddr_in any = at("0.0.0.0", 0), own, peer, name = at(SERVER, 9);
  const struct sockaddr none = {.sa_family = AF_UNSPEC};
  struct sockaddr_in chosen = at("10.1.0.2", 0);
  char bytes[2][4];
  struct iovec parts[2] = {{bytes[0], 4}, {bytes[1], 4}};
  struct mmsghdr messages[2] = {{{.msg_iov = &parts[0], .msg_iovlen = 1}, 0},
                                {{.msg_iov = &parts[1], .msg_iovlen = 1}, 0}};
  struct msghdr message = {
      .msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = parts, .msg_iovlen = 1};
  socklen_t size = sizeof(own);
  int fd = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);

  say("bind", CALL(syscall(SYS_bind, fd, &any, sizeof(any))));
  say("bind again", CALL(syscall(SYS_bind, fd, &any, sizeof(any))));
  getsockname(fd, (void *)&own, &size);
  own.sin_addr = at("127.0.0.1", 0).sin_addr;
  connect(client, (void *)&own, sizeof(own));
  for (int i = 0; i < 3; ++i) send(client, "abcd", (size_t)i + 1, 0);
  say("recvmsg", CALL(syscall(SYS_recvmsg, fd, &message, 0)));
  printf("%s, %u bytes of name, %zu of control data, flags %x\n", inet_ntoa(peer.sin_addr),
         message.msg_namelen, (size_t)message.msg_controllen, message.msg_flags);
  say("recvmmsg", CALL(syscall(SYS_recvmmsg, fd, messages, 2, 0, NULL)));
  printf("%u and %u bytes\n", messages[0].msg_len, messages[1].msg_len);
  say("none", CALL(syscall(SYS_recvmmsg, fd, messages, 2, MSG_DONTWAIT, NULL)));
  say("bad message", CALL(syscall(SYS_recvmsg, fd, 8, MSG_DONTWAIT)));
  close(fd);
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  say("connect", CALL(syscall(SYS_connect, fd, &name, sizeof(name))));
  say("dissolve", CALL(syscall(SYS_connect, fd, &none, sizeof(none))));
  say("bind", CALL(syscall(SYS_bind, fd, &chosen, sizeof(chosen))));
  say("connect", CALL(syscall(SYS_connect, fd, &name, sizeof(name))));
  getsockname(fd, (void *)&own, &size);
  printf("source %s\n", inet_ntoa(own.sin_addr));
  close(fd);
  close(client);
}

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
  on_a_server();
  child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (!child) _exit(7);
  waitpid((pid_t)child, &status, 0);
  say("a child by clone", WEXITSTATUS(status));
  say_descriptors();
  return 0;
}
