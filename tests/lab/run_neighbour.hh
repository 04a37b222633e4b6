// A BPF program of somebody else on a cgroup: it counts how often one hook is asked, and lets pass,
// or refuses.
//
// Written in raw instructions and attached as container runtimes do, so that it knows nothing of
// srcsel. Contract: move-only owner of the program; attached, it stays on the cgroup until that is
// removed. Errors name the call that failed. Not thread-safe.

#pragma once

#include <linux/bpf.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "base/fd.hh"

namespace srcsel::lab {

class Neighbour {
 public:
  // `type` is that of connects, of datagrams, or BPF_CGROUP_INET_SOCK_CREATE.
  static absl::StatusOr<Neighbour> Load(bpf_attach_type type = BPF_CGROUP_INET4_CONNECT,
                                        bool refuses = false);

  // `flags` is BPF_F_ALLOW_MULTI, or 0 for a program that tolerates none below it.
  absl::Status Attach(const Fd &cgroup, std::uint32_t flags = BPF_F_ALLOW_MULTI) const;

  // How often it was asked.
  absl::StatusOr<std::uint64_t> Count() const;

 private:
  Neighbour(bpf_attach_type type, Fd counter, Fd program)
      : type_(type), counter_(std::move(counter)), program_(std::move(program)) {}

  bpf_attach_type type_;
  Fd counter_, program_;
};

}  // namespace srcsel::lab
