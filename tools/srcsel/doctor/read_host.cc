#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/cgroup_root.hh"
#include "base/netns.hh"
#include "hooks/pins.hh"
#include "policy/text_file.hh"
#include "srcsel/doctor/host_files.hh"
#include "srcsel/doctor/read_facts.hh"

namespace srcsel {
namespace {

constexpr std::size_t kLargestFile = 1 << 20;

std::string ReadText(const char *path) {
  return ReadTextFile(path, kLargestFile).value_or("");
}

std::pair<int, int> KernelVersion() {
  utsname name;
  std::pair<int, int> version(0, 0);
  if (uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &version.first, &version.second) != 2)
    return {0, 0};
  return version;
}

// The sysctl is shown in the first namespace alone.
void ReadJit(HostFacts &facts) {
  const auto read = [&] {
    int value = 0;
    if (absl::SimpleAtoi(ReadText("/proc/sys/net/core/bpf_jit_enable"), &value)) facts.jit = value;
    return absl::OkStatus();
  };
  read().IgnoreError();
  if (facts.jit) return;
  if (const absl::StatusOr<Fd> first = OpenNetns("/proc/1/ns/net"); first.ok())
    CallInNetns(*first, read).IgnoreError();
  facts.jit_elsewhere = facts.jit.has_value();
}

// Beside the hierarchies of v1, in a directory of the tmpfs that they are in; without any, sysfs
// has one that is there for it, and in which no other can be made.
std::string CgroupPoint() {
  constexpr char kDirectory[] = "/sys/fs/cgroup";
  struct statfs fs;
  const bool bare = statfs(kDirectory, &fs) != 0 || fs.f_type == SYSFS_MAGIC;
  return absl::StrCat(kDirectory, bare ? "" : "/unified");
}

}  // namespace

HostFacts ReadHostFacts(const UpPaths &paths) {
  HostFacts facts;
  facts.kernel = KernelVersion();
  facts.missing_caps = MissingCaps(ReadText("/proc/self/status"));
  facts.may_pin = geteuid() == 0;
  facts.lockdown = LockdownLevel(ReadText("/sys/kernel/security/lockdown"));
  facts.btf = access("/sys/kernel/btf/vmlinux", F_OK) == 0;
  ReadJit(facts);
  if (rlimit limit; getrlimit(RLIMIT_MEMLOCK, &limit) == 0) facts.memlock = limit.rlim_cur;
  facts.bpffs = paths.bpf.substr(0, paths.bpf.rfind('/'));
  facts.has_bpffs = IsBpffs(facts.bpffs);
  facts.cgroup2 = FindCgroupRoot().status();
  facts.cgroup2_point = CgroupPoint();
  facts.v1_in_use = NetControllersInUse(ReadText("/proc/self/mountinfo"));
  facts.release = SRCSEL_RELEASE;
  return facts;
}

}  // namespace srcsel
