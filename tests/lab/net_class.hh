// A class of net_cls, the controller of cgroup v1: a cgroup of that hierarchy, which is mounted for
// this test alone.
//
// The test must have a mount namespace of its own. The destructor removes the cgroup, which must be
// empty by then, and the mount; the hierarchy goes with the last of them. Tests that make one have
// the resource lock "net_cls": one that expects none may be among them.
//
// Errors: kUnavailable where the hierarchy cannot be mounted; others name the file. Not
// thread-safe.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lab/temp_dir.hh"

namespace srcsel::lab {

class NetClass {
 public:
  static absl::StatusOr<NetClass> Make(std::uint32_t classid);
  NetClass(NetClass &&other) noexcept;
  NetClass &operator=(NetClass &&) = delete;
  ~NetClass();

  // The calling thread, and what it opens from now on, is of the class.
  absl::Status Enter() const;
  // The command that runs these words in the class.
  std::vector<std::string> Words(const std::vector<std::string> &words) const;

 private:
  explicit NetClass(TempDir point) : point_(std::move(point)) {}

  TempDir point_;
  std::string path_;  // empty: moved from, or not made
  int others_ = 0;    // cgroups that were there before
};

}  // namespace srcsel::lab
