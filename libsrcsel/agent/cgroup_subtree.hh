// A cgroup and all below it, by the ids that events have.
//
// Contract: cgroups made later are in it too, and one that is gone is in it if it was asked for
// while it was there. CAP_DAC_READ_SEARCH is needed. Not thread-safe. Cost: a system call or two
// for each level, the first time that an id is asked for.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "base/fd.hh"

namespace srcsel {

class CgroupSubtree {
 public:
  // `path` is as OpenCgroup() takes it.
  static absl::StatusOr<CgroupSubtree> Open(const std::string &path);

  bool Contains(std::uint64_t id);

 private:
  struct Directory {
    std::uint64_t device, id;
    friend bool operator==(const Directory &, const Directory &) = default;
  };
  CgroupSubtree(Fd top, Directory which) : top_(std::move(top)), which_(which) {}
  static std::optional<Directory> Ask(const Fd &cgroup);
  bool IsBelow(std::uint64_t id) const;

  Fd top_;
  Directory which_;
  absl::flat_hash_map<std::uint64_t, bool> known_;
};

}  // namespace srcsel
