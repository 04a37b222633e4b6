// Where the cgroup v2 hierarchy is, and where in it this process lives.
//
// A hybrid host mounts it beside the v1 hierarchies; `ip netns exec` remounts /sys and hides it
// altogether. It is found through /proc/self/mountinfo, and mounted for this process alone
// (fsopen(2)) if no mount shows it.

#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.hh"

namespace srcsel {

struct CgroupRoot {
  Fd root;          // directory of the hierarchy's root, as far as it is visible here
  std::string own;  // this process's cgroup, relative to root; "." if it is the root
};

// Fails if the kernel has no cgroup v2 or this process may not see it.
absl::StatusOr<CgroupRoot> FindCgroupRoot();

// The directory of a cgroup: `path` is from the hierarchy's root ("/", "/system.slice"), or that of
// a directory where the hierarchy is mounted.
absl::StatusOr<Fd> OpenCgroup(const std::string &path);
// The same, to ask which one it is and no more (O_PATH): it need not be readable.
absl::StatusOr<Fd> PointToCgroup(const std::string &path);

// Of a mountinfo(5) table: mount point and root of the cgroup2 mount, or of that of v1 with the
// controller, that shows the cgroup `own` ("/a/b"); nothing if none does.
struct CgroupMount {
  std::string point, root;
};
absl::StatusOr<CgroupMount> FindCgroupMount(absl::string_view mountinfo, absl::string_view own,
                                            absl::string_view controller = "");

// Where the directory belongs of a cgroup that OpenCgroup() does not find, if v2 is mounted on
// `point`: of "/a", and of "/sys/fs/cgroup/a" where that is no v2, it is POINT/a.
std::string CgroupDirectory(absl::string_view path, const std::string &point);

// Of a /proc/PID/cgroup table: the v2 cgroup ("/a/b").
absl::StatusOr<std::string> FindOwnCgroup(absl::string_view table);
// The cgroup of v1's hierarchy with the controller; nothing if no hierarchy of v1 has it.
std::optional<std::string> FindOldCgroup(absl::string_view table, absl::string_view controller);

}  // namespace srcsel
