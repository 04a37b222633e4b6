// The BPF programs: loaded, attached to a cgroup, and fed with images.
//
// Contract: move-only owner of programs and maps. The programs are attached without a link, under
// BPF_F_ALLOW_MULTI: they stay until the cgroup is removed, whatever becomes of this process, and
// other programs on the cgroup run as before. Publishing after a fork() works in either process.
// Not thread-safe.
//
// Publish(): hooks see the new image as soon as the call has swapped it in, whole; the call itself
// returns after an RCU grace period (9-45 ms), so that nobody reads the old one any more.
//
// Errors say which program or map failed, and what would mend it where that is known.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.hh"

struct srcsel_bpf;

namespace srcsel {

class Hooks {
 public:
  static absl::StatusOr<Hooks> Load();

  // Makes `image` (whole pages as <srcsel/abi.h> lays them out) the one decisions are taken on.
  absl::Status Publish(std::span<const std::byte> image);

  // Attaches all programs to the cgroup whose directory is open; all or none.
  absl::Status Attach(const Fd &cgroup);

  // Which decisions are also written to the ring that EventReader reads.
  enum class Told : std::uint32_t { kNone, kEffective, kAll };
  void Tell(Told told);
  int events_fd() const;

 private:
  struct Destroy {
    void operator()(srcsel_bpf *skeleton) const;
  };
  explicit Hooks(srcsel_bpf *skeleton) : skeleton_(skeleton) {}

  std::unique_ptr<srcsel_bpf, Destroy> skeleton_;
};

}  // namespace srcsel
