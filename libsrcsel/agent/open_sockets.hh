// The IPv4 and IPv6 sockets that processes of a cgroup have open.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "base/fd.hh"

namespace srcsel {

struct OpenSocket {
  pid_t pid;                // of one process that has it
  int fd;                   // there
  std::string protocol;     // "raw", else ProtocolName()
  std::string local, peer;  // "10.0.0.1:40000", "[fd00::1]:80"; empty: none
  bool listening;
};

// Calls `each` once for each socket of processes in the cgroup and below; with our own pid only if
// no other process has it. Returns how many processes could not be looked into, though they live.
//
// What is on its way in a message, or in io_uring alone, is not seen. Cost: a readlink a
// descriptor, and six system calls a socket.
std::uint32_t ForEachOpenSocket(
    const Fd &cgroup, absl::FunctionRef<void(const OpenSocket &about, const Fd &socket)> each);

// The same of one process. False: it could not be looked into, though it lives.
bool ForEachSocketOf(pid_t pid, absl::FunctionRef<void(const OpenSocket &, const Fd &)> each);

}  // namespace srcsel
