// Cgroups that flows are sent from: one, another below it, one beside it, and the one they are in.
//
// They are threaded, so that each thread can be in one of its own. As long as there are any, this
// process is in them. Make() and the end are for when there is one thread; Sit() is thread-safe.

#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "draw_nft.hh"
#include "lab/cgroup.hh"

namespace srcsel {

class Seats {
 public:
  static absl::StatusOr<Seats> Make();
  Seats(Seats &&) = default;
  ~Seats();

  // From the root of the hierarchy, as netfilter's rules and policies have it.
  const std::vector<std::string> &paths() const { return paths_; }
  // The one that rules name; for nft too.
  const std::string &named() const { return paths_[1]; }
  NftCgroup ForNft() const;

  // What the calling thread opens from now on belongs to that cgroup.
  absl::Status Sit(const std::string &path) const;

 private:
  Seats(lab::TestCgroup top, std::string mount, std::string before)
      : top_(std::move(top)), mount_(std::move(mount)), before_(std::move(before)) {}

  lab::TestCgroup top_;
  std::string mount_, before_;  // where the hierarchy is, and where this process was
  std::vector<std::string> paths_;
};

}  // namespace srcsel
