/* Sockets above 1023, duplicated, passed, inherited and closed in ranges. */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "transcript.h"

static const char *source_of(int fd) {
  struct sockaddr_in own = {0};
  socklen_t size = sizeof(own);
  getsockname(fd, (void *)&own, &size);
  return inet_ntoa(own.sin_addr);
}

static int pass(int fd) {
  int pair[2], passed;
  char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec part = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);

  socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(head), &fd, sizeof(fd));
  say("pass", CALL(sendmsg(pair[0], &message, 0)));
  message.msg_controllen = sizeof(control);
  say("take", CALL(recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC)));
  memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(passed));
  close(pair[0]);
  close(pair[1]);
  return passed;
}

/* Argument: what the source has to be, "" without the preload. Not part of the transcript. */
int main(int argc, char **argv) {
  const char *expected = argc > 1 ? argv[1] : "";
  struct sockaddr_in name = at(SERVER, 9), bound = at("10.0.0.1", 0);
  const struct rlimit many = {3000, 3000};
  int passed, status;
  volatile int fd; /* vfork() below */

  setrlimit(RLIMIT_NOFILE, &many);
  fd = dup2(socket(AF_INET, SOCK_DGRAM, 0), 2500);
  say("above 1023", CALL(connect(fd, (void *)&name, sizeof(name))));
  if (*expected && strcmp(source_of(fd), expected)) printf("wrong source above 1023\n");
  close(fd);

  /* The number of a socket that was decided on comes back as another one. */
  fd = dup2(socket(AF_INET, SOCK_DGRAM, 0), 100);
  connect(fd, (void *)&name, sizeof(name));
  syscall(SYS_close_range, 50, 3000, 0);
  fd = dup2(socket(AF_INET, SOCK_DGRAM, 0), 100);
  say("bind the number anew", CALL(bind(fd, (void *)&bound, sizeof(bound))));
  say("connect", CALL(connect(fd, (void *)&name, sizeof(name))));
  printf("source %s\n", source_of(fd));
  close(fd);

  fd = socket(AF_INET, SOCK_DGRAM, 0);
  passed = pass(fd);
  say("through a duplicate", CALL(connect(passed, (void *)&name, sizeof(name))));
  if (*expected && strcmp(source_of(fd), expected)) printf("wrong source when passed\n");
  if (!vfork()) _exit(connect(fd, (void *)&name, sizeof(name)) ? 1 : 0);
  wait(&status);
  say("in a vfork", WEXITSTATUS(status));
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  fflush(stdout);
  if (!fork()) {
    status = connect(fd, (void *)&name, sizeof(name)) ? 1 : 0;
    _exit(*expected && strcmp(source_of(fd), expected) ? 2 : status);
  }
  wait(&status);
  say("in a fork", WEXITSTATUS(status));
  say_descriptors();
  return 0;
}
