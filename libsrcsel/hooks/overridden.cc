#include "hooks/overridden.hh"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "absl/strings/str_cat.h"

namespace srcsel {
namespace {

// Empty above the root, whose ".." is another file system's, or itself where nobody sees the mount.
Fd Above(const Fd &cgroup) {
  Fd above(openat(cgroup.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct statfs system {};
  struct stat here {
  }, there{};
  if (!above || fstatfs(above.get(), &system) != 0 || system.f_type != CGROUP2_SUPER_MAGIC ||
      fstat(cgroup.get(), &here) != 0 || fstat(above.get(), &there) != 0 ||
      here.st_ino == there.st_ino)
    return Fd();
  return above;
}

bool HasOverridable(const Fd &cgroup, bpf_attach_type hook) {
  __u32 flags = 0, count = 0;
  return bpf_prog_query(cgroup.get(), hook, 0, &flags, nullptr, &count) == 0 && count > 0 &&
         flags & BPF_F_ALLOW_OVERRIDE;
}

}  // namespace

absl::Status CheckNothingOverridden(const Fd &cgroup, bpf_attach_type hook, const char *name) {
  for (Fd above = Above(cgroup); above; above = Above(above))
    if (HasOverridable(above, hook))
      return absl::FailedPreconditionError(
          absl::StrCat("attach ", name,
                       " to the cgroup: another program on a cgroup above, attached with "
                       "BPF_F_ALLOW_OVERRIDE, would no longer run (bpftool cgroup tree shows it)"));
  return absl::OkStatus();
}

}  // namespace srcsel
