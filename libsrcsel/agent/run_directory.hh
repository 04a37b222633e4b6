// Where a run under the preload keeps its image: a directory of its own, in which nobody but its
// user can write.
//
// It is made in $XDG_RUNTIME_DIR or /run/user/UID, if that is the user's and nobody else's to
// write; else in /tmp. Root's is in /run, and open to read: its programs may become other users.
// The process that keeps the image true holds a lock on it. Who finds one without a lock and
// without a process of the run (run_members.hh) may remove it.

#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "base/fd.hh"

namespace srcsel {

class RunDirectory {
 public:
  static absl::StatusOr<RunDirectory> Create();

  // Absolute.
  const std::string &path() const { return path_; }
  std::string image() const { return path_ + "/" + kImage; }

  // Puts the image in force: who opens its name finds the one before, or this one.
  absl::Status Publish(std::span<const std::byte> image) const;

  void Remove() const;

 private:
  static constexpr char kImage[] = "image";

  RunDirectory(std::string path, Fd directory)
      : path_(std::move(path)), directory_(std::move(directory)) {}

  std::string path_;
  Fd directory_;  // locked
};

// Removes what was left where RunDirectory::Create() would make one. How many there were.
int SweepRunDirectories();

}  // namespace srcsel
