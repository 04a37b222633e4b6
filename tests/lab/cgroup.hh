// A cgroup v2 directory for one test, below the test's own.
//
// The hierarchy is found through /proc/self/mountinfo, so a hybrid host does as well as a pure one.
// The destructor kills what is in the directory, waits for its end (cgroup.events), and removes it
// with all below. Its name bears the test's pid: where that process has been killed, the next test
// does so. Nothing else is ever touched.
//
// Errors name the directory. Not thread-safe.

#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lab/deadline.hh"

namespace srcsel::lab {

// Makes a directory of such a name there, and removes those of tests that have been killed.
absl::StatusOr<std::string> MakeCgroupIn(const std::string &above);

class TestCgroup {
 public:
  static absl::StatusOr<TestCgroup> Create();
  TestCgroup(TestCgroup &&other) noexcept;
  TestCgroup &operator=(TestCgroup &&) = delete;
  ~TestCgroup();

  const std::string &path() const { return path_; }
  bool exists() const;

  // The processes in it, not those below.
  std::vector<pid_t> procs() const;

  // The names of the cgroups right below.
  std::vector<std::string> children() const;

  // Until no process is in it or below.
  absl::Status WaitUntilEmpty(Deadline deadline = kPatience) const;
  // Until the last cgroup below has been removed.
  absl::Status WaitUntilChildless(Deadline deadline = kPatience) const;

 private:
  explicit TestCgroup(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty: moved from
};

}  // namespace srcsel::lab
