// Where this kernel keeps the user and the group that a task acts under: what sockets get, and what
// netfilter's skuid and skgid compare. The ids that BPF has a helper for are the real ones, which
// differ behind seteuid(2) and in set-user-ID programs.
//
// Cost: reading the kernel's BTF, 5 ms; once a process.

#pragma once

#include <cstdint>

namespace srcsel {

// Offsets in bytes; all 0 where they are not known or may not be used: a kernel without BTF, or
// locked down for confidentiality.
struct Credentials {
  std::uint32_t cred = 0;             // in struct task_struct, a pointer
  std::uint32_t user = 0, group = 0;  // in struct cred: fsuid, fsgid
};

const Credentials &FindCredentials();

}  // namespace srcsel
