// Which policies hold for a process: those of a run, of what is up, of a preload.
//
// Contract: reads /proc and what `up` wrote down. Cost: three files of /proc a process.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/up_paths.hh"
#include "agent/up_state.hh"

namespace srcsel {

struct ProcessPolicies {
  pid_t pid = 0;
  std::string comm = {};
  std::string cgroup = {};  // it is in
  std::string run = {};     // the cgroup of a `srcsel run` that it is under; empty: none
  bool up = false;          // it is in the cgroup of what is up, or below
  std::string preload =
      {};  // what the library it has loaded goes by: the path of an image, "SRCSEL_MARK"
           // and the like, "the image of srcsel up"; empty: it has not loaded it
  std::map<std::string, std::uint64_t> preload_counts = {};  // see preload_counts.hh

  bool hidden = false;  // its maps cannot be read: whether it has loaded the library is not known

  bool any() const { return !run.empty() || up || !preload.empty(); }
};

struct ManyPolicies {
  std::vector<ProcessPolicies> found;  // in order of their numbers
  std::size_t hidden = 0;              // processes, among all
};

class PolicyFinder {
 public:
  explicit PolicyFinder(const UpPaths &paths);

  // What is up; nothing if nothing is.
  const std::optional<UpState> &up() const { return up_; }

  // kNotFound: there is no such process.
  absl::StatusOr<ProcessPolicies> Of(pid_t pid);
  // Of all processes that have any, but for the kernel's own.
  ManyPolicies OfAll();

 private:
  bool IsUnderUp(const std::string &cgroup);

  std::optional<UpState> up_;
  std::map<std::string, bool> under_up_;  // by cgroup
};

}  // namespace srcsel
