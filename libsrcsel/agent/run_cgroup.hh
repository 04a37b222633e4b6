// The cgroup of one `srcsel run`: made below the caller's, removed when its last process has left.
//
// Ownership is a flock(2) on the directory, held through the descriptor that Create() opened and
// shared by every process that inherits it: as long as one of them lives the cgroup is in use; when
// none does, any later `srcsel` may sweep it up.
//
// Removing it detaches and frees the programs attached to it.

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/cgroup_root.hh"
#include "base/fd.hh"

namespace srcsel {

class RunCgroup {
 public:
  // All names begin with this.
  static constexpr absl::string_view kPrefix = "srcsel-run-";

  static absl::StatusOr<RunCgroup> Create(const CgroupRoot &where);

  RunCgroup(RunCgroup &&) = default;
  RunCgroup &operator=(RunCgroup &&) = default;

  const Fd &fd() const { return directory_; }

  // Moves the calling process in.
  absl::Status Join() const;

  // Descriptor of cgroup.events: POLLPRI when it changes. Populated() re-reads it.
  absl::StatusOr<Fd> OpenEvents() const;
  static absl::StatusOr<bool> Populated(const Fd &events);

  // Removes the cgroup and those below it. EBUSY while a process is in it.
  absl::Status Remove() const;

 private:
  RunCgroup(Fd parent, std::string name, Fd directory)
      : parent_(std::move(parent)), name_(std::move(name)), directory_(std::move(directory)) {}

  Fd parent_;
  std::string name_;
  Fd directory_;
};

// Removes the empty run cgroups below `root` that no process owns any more. Returns how many.
int SweepAbandoned(const Fd &root);

}  // namespace srcsel
