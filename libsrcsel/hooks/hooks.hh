// The BPF programs: loaded, attached to a cgroup, and fed with images.
//
// Contract: move-only owner of programs and maps. Other programs on the cgroup run as before
// (BPF_F_ALLOW_MULTI). Publishing after a fork() works in either process. Not thread-safe.
//
// For a cgroup of one's own, Attach(): the programs stay until it is removed, whatever becomes of
// this process. For one that was there before, the hooks are kept in Pins: they stay until those
// are removed, and a later process's hooks take their place, each by one exchange in the kernel.
// What programs remember and count goes on with those that replace them.
//
// Publish(): hooks see the new image as soon as the call has swapped it in, whole; the call itself
// returns after an RCU grace period (9-45 ms), so that nobody reads the old one any more.
//
// Where the kernel has no hook for datagrams or for the making of sockets, the others do their
// work, and Missing() says what is amiss. Without one for connections, or one that remembers what
// applications do (they would be overruled), loading fails.
//
// Errors say which program or map failed, and what would mend it where that is known.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "hooks/pins.hh"
#include "hooks/socket_facts.hh"

struct srcsel_bpf;

namespace srcsel {

struct Hook;

class Hooks {
 public:
  static absl::StatusOr<Hooks> Load();
  // To replace those that `kept` has: with their maps, as far as they are of the same form.
  static absl::StatusOr<Hooks> LoadOver(const Pins &kept);
  // For a cgroup below that of those that `kept` has, which then leave alone what these decide.
  static absl::StatusOr<Hooks> LoadBelow(const Pins &kept);

  // "the kernel has no hook sendmsg4: IPv4 datagrams ...", for each that is so.
  std::vector<std::string> Missing() const;

  // Makes `image` (whole pages as <srcsel/abi.h> lays them out) the one decisions are taken on.
  absl::Status Publish(std::span<const std::byte> image);

  // Attaches all programs to the cgroup whose directory is open; all or none.
  absl::Status Attach(const Fd &cgroup);

  // The same, kept in `pins`, in two steps: those that remember what applications do, then those
  // that decide. What has been attached when one fails stays attached.
  absl::Status KeepRemembering(const Fd &cgroup, const Pins &pins);
  absl::Status KeepDeciding(const Fd &cgroup, const Pins &pins);
  // Once they remember: whether hooks before them did, of all sockets of the cgroup.
  bool remembers_all() const { return remembers_all_; }

  // What is known of sockets: enum srcsel_fact.
  SocketFacts facts() const;
  // From now on hooks look whether a socket is older than they are (SRCSEL_FACT_OLD).
  void MindOldSockets();
  // What each row of the image's policy has done so far is forgotten.
  absl::Status ForgetTallies();

  // Which decisions are also written to the ring that EventReader reads.
  enum class Told : std::uint32_t { kNone, kEffective, kAll };
  void Tell(Told told);
  int events_fd() const;

 private:
  struct Destroy {
    void operator()(srcsel_bpf *skeleton) const;
  };
  explicit Hooks(srcsel_bpf *skeleton) : skeleton_(skeleton) {}
  enum class Kept { kNothing, kAllMaps, kFacts };
  static absl::StatusOr<Hooks> LoadWith(Kept what, const Pins *kept);
  static absl::StatusOr<Hooks> Open(Kept what, const Pins *kept);
  absl::Status Reuse(Kept what, const Pins &kept);
  absl::Status Keep(const Hook &hook, const Fd &cgroup, const Pins &pins);

  std::unique_ptr<srcsel_bpf, Destroy> skeleton_;
  bool remembers_all_ = false;
};

}  // namespace srcsel
