// Which limit keeps a cgroup from having one more below it.
//
// mkdir(2) in cgroup v2 says EAGAIN for it, "Resource temporarily unavailable", and not where.
// Reads cgroup.max.descendants and cgroup.max.depth of the cgroup and of all above it, as the
// kernel does.

#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "base/fd.hh"

namespace srcsel {

// The file of the limit that a cgroup below `path` would exceed, its value, and what raises it;
// nearest first. `path` is relative to `root`. Empty if no limit in sight is reached.
std::string ReachedLimit(const Fd &root, absl::string_view path);

}  // namespace srcsel
