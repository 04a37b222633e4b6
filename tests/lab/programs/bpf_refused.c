// bpf_refused CALL TYPE ERROR CMD...: runs CMD under a kernel that refuses some of bpf(2).
//
// Refused are those that say CALL (BPF_PROG_LOAD, BPF_PROG_ATTACH) for the attach type TYPE, with
// ERROR as errno; all three are numbers, -1 stands for any. Everything else goes on to the kernel.
//
// This process stays to answer, for CMD and whatever CMD leaves behind; then it ends with the exit
// status of CMD. 77 if the kernel lets nobody answer for it.

#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void fail(const char *what) {
  perror(what);
  _exit(77);
}

// A descriptor that hears of every bpf(2) from now on.
static int listen_for_bpf(void) {
  struct sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog filter = {sizeof(steps) / sizeof(steps[0]), steps};
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                      &filter);
}

static int refused(const struct seccomp_notif *call, long which, long type) {
  if (which < 0) return 1;
  if (call->data.args[0] != (unsigned long)which) return 0;
  union bpf_attr attr = {0};
  size_t size = call->data.args[2];
  if (size > sizeof(attr)) size = sizeof(attr);
  const struct iovec here = {&attr, size}, there = {(void *)call->data.args[1], size};
  if (process_vm_readv((pid_t)call->pid, &here, 1, &there, 1, 0) != (ssize_t)size) return 0;
  const unsigned said = which == BPF_PROG_LOAD ? attr.expected_attach_type : attr.attach_type;
  return type < 0 || said == (unsigned long)type;
}

static void answer_one(int listener, long which, long type, int error) {
  struct seccomp_notif call = {0};
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return;
  struct seccomp_notif_resp response = {.id = call.id};
  if (refused(&call, which, type))
    response.error = -error;
  else
    response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

// Until nobody is left whose calls could be heard. For Linux 6.1 that is who has ended, too, until
// he is waited for.
static int answer(int listener, pid_t child, char **wanted) {
  int status = 0;
  struct pollfd heard[] = {{listener, POLLIN, 0},
                           {(int)syscall(SYS_pidfd_open, child, 0), POLLIN, 0}};
  while (listener >= 0 && poll(heard, 2, -1) > 0 && !(heard[0].revents & ~POLLIN)) {
    if (heard[0].revents) answer_one(listener, atol(wanted[0]), atol(wanted[1]), atoi(wanted[2]));
    if (heard[1].revents && waitpid(child, &status, 0) == child) heard[1].fd = -1;
  }
  if (heard[1].fd >= 0) waitpid(child, &status, 0);
  return status;
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  int numbers[2];
  if (pipe2(numbers, O_CLOEXEC) != 0) fail("pipe");
  // Descriptors are shared until exec: the one that the child gets is ours too.
  const pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
  if (child < 0) fail("clone");
  if (child == 0) {
    const int listener = listen_for_bpf();
    if (listener < 0) perror("answer for the kernel");
    if (write(numbers[1], &listener, sizeof(listener)) < 0 || listener < 0) _exit(77);
    execvp(argv[4], argv + 4);
    fail(argv[4]);
  }
  int listener = -1;
  if (read(numbers[0], &listener, sizeof(listener)) < 0) fail("read");
  const int status = answer(listener, child, argv + 1);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
