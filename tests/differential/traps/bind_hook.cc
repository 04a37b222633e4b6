#include "differential/traps/bind_hook.hh"

#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/status.hh"

namespace srcsel {
namespace {

constexpr std::int16_t kName = -static_cast<int>(sizeof(sockaddr_in));  // on the stack

bpf_insn Store(int size, int offset, std::int32_t value) {
  return {static_cast<__u8>(BPF_ST | BPF_MEM | size), BPF_REG_10, 0,
          static_cast<__s16>(kName + offset), value};
}

// bpf_bind(ctx, &name, sizeof(name)); return 1;
std::array<bpf_insn, 10> Program(const IpAddress &address) {
  std::int32_t wire;
  std::memcpy(&wire, address.bytes().data(), sizeof(wire));
  return {Store(BPF_DW, 0, 0),
          Store(BPF_DW, offsetof(sockaddr_in, sin_zero), 0),
          Store(BPF_H, offsetof(sockaddr_in, sin_family), AF_INET),
          Store(BPF_W, offsetof(sockaddr_in, sin_addr), wire),
          bpf_insn{BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0},
          bpf_insn{BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, kName},
          bpf_insn{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, sizeof(sockaddr_in)},
          bpf_insn{BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_bind},
          bpf_insn{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1},
          bpf_insn{BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
}

absl::StatusOr<Fd> Bpf(int command, bpf_attr &attributes, const char *what) {
  Fd fd(static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof(attributes))));
  if (!fd) return absl::ErrnoToStatus(errno, what);
  return fd;
}

}  // namespace

absl::StatusOr<Fd> AttachBindHook(const lab::TestCgroup &cgroup, const IpAddress &address) {
  const auto program = Program(address);
  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR;
  load.expected_attach_type = BPF_CGROUP_INET4_CONNECT;
  load.insns = reinterpret_cast<std::uintptr_t>(program.data());
  load.insn_cnt = static_cast<__u32>(program.size());
  load.license = reinterpret_cast<std::uintptr_t>("GPL");
  SRCSEL_ASSIGN_OR_RETURN(const Fd loaded, Bpf(BPF_PROG_LOAD, load, "load a hook"));

  const Fd directory(open(cgroup.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  bpf_attr attach{};
  attach.link_create.prog_fd = static_cast<__u32>(loaded.get());
  attach.link_create.target_fd = static_cast<__u32>(directory.get());
  attach.link_create.attach_type = BPF_CGROUP_INET4_CONNECT;
  return Bpf(BPF_LINK_CREATE, attach, "attach a hook");
}

// By a child that shares the descriptors, and says by its exit status which it made.
absl::StatusOr<Fd> SocketOf(const lab::TestCgroup &cgroup, int type) {
  const std::string procs = cgroup.path() + "/cgroup.procs";
  const auto child =
      static_cast<pid_t>(syscall(SYS_clone, CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, 0));
  if (child == 0) {
    const int joining = open(procs.c_str(), O_WRONLY | O_CLOEXEC);
    const bool joined = write(joining, "0", 1) == 1;
    close(joining);
    _exit(joined ? socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : 0);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child)
    return absl::ErrnoToStatus(errno, "make a socket in " + cgroup.path());
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 0)
    return absl::InternalError("make a socket in " + cgroup.path());
  return Fd(WEXITSTATUS(status));
}

}  // namespace srcsel
