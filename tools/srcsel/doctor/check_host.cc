#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "srcsel/doctor/checks.hh"

namespace srcsel {
namespace {

using Version = std::pair<int, int>;

constexpr std::uint64_t kMuchMemlock = 64 << 20;

std::string Words(Version version) {
  return absl::StrCat("Linux ", version.first, ".", version.second);
}

bool IsOlder(Version kernel, Version than) {
  return kernel != Version(0, 0) && kernel < than;
}

}  // namespace

Complaints CheckPrivilege(const Facts &facts) {
  if (!facts.host.missing_caps.empty())
    return {{Gravity::kBroken,
             absl::StrCat("this process lacks ", absl::StrJoin(facts.host.missing_caps, ", "),
                          ": hooks can neither be loaded nor tried; without privilege there is "
                          "srcsel run --via preload"),
             "sudo srcsel doctor"}};
  if (!facts.host.may_pin)
    return {{Gravity::kWarning, "srcsel up, and what it keeps, is for root alone",
             "sudo srcsel doctor"}};
  return {};
}

Complaints CheckHooks(const Facts &facts) {
  Complaints found;
  if (!facts.probes.trouble.empty())
    found.push_back(
        {Gravity::kBroken, absl::StrCat("no hook works here: ", facts.probes.trouble), ""});
  for (const Probe &probe : facts.probes.probes)
    if (!probe.trouble.empty())
      found.push_back(
          {facts.probes.below_up ? Gravity::kWarning : Gravity::kBroken,
           absl::StrCat(
               facts.probes.below_up ? "in a srcsel run below what is up, the hook " : "the hook ",
               probe.hook, ", which ", probe.does, ", does not: a socket of the probe ",
               probe.trouble),
           ""});
  return found;
}

// It forbids reading kernel memory, which the hooks do not; so only where they do not load.
Complaints CheckLockdown(const Facts &facts) {
  if (facts.host.lockdown != "confidentiality" || facts.probes.trouble.empty()) return {};
  return {{Gravity::kBroken,
           "the kernel is locked down (confidentiality), which some kernels take for a ban of BPF: "
           "boot with lockdown=integrity",
           ""}};
}

Complaints CheckKernel(const Facts &facts) {
  if (!IsOlder(facts.host.kernel, {6, 1})) return {};
  return {{Gravity::kNote,
           absl::StrCat("the hooks are made for Linux 6.1 and later; this is ",
                        Words(facts.host.kernel),
                        ": boot a newer one, or take srcsel run --via preload"),
           ""}};
}

Complaints CheckCgroup2(const Facts &facts) {
  if (facts.host.cgroup2.ok()) return {};
  // The kernel has one, which this user may not mount, and root may have mounted.
  if (absl::IsPermissionDenied(facts.host.cgroup2) && !facts.host.may_pin)
    return {{Gravity::kBroken,
             "cgroup v2 is hidden, as inside of ip netns exec, and srcsel can see it all the same "
             "only as root (CAP_SYS_ADMIN)",
             "sudo srcsel doctor"}};
  const std::string &point = facts.host.cgroup2_point;
  return {{Gravity::kBroken,
           absl::StrCat("there is no cgroup v2 to attach hooks to: ",
                        std::string(facts.host.cgroup2.message())),
           absl::StrCat("mkdir -p ", point, " && mount -t cgroup2 cgroup2 ", point)}};
}

// cgroup_sk_alloc_disabled, gone in Linux 5.15.
Complaints CheckCgroupV1(const Facts &facts) {
  if (facts.host.v1_in_use.empty() || !IsOlder(facts.host.kernel, {5, 15})) return {};
  return {{Gravity::kWarning,
           absl::StrCat("cgroups of v1 are in use by ", absl::StrJoin(facts.host.v1_in_use, ", "),
                        ": before Linux 5.15, new sockets then belong to no cgroup of v2, and "
                        "their hooks do not run, until that is given up and the host is booted "
                        "anew"),
           ""}};
}

Complaints CheckMemlock(const Facts &facts) {
  if (facts.host.memlock >= kMuchMemlock || !IsOlder(facts.host.kernel, {5, 11})) return {};
  return {{Gravity::kWarning,
           absl::StrCat("maps are charged to locked memory before Linux 5.11, of which ",
                        facts.host.memlock, " bytes are allowed"),
           "ulimit -l unlimited"}};
}

Complaints CheckBpffs(const Facts &facts) {
  if (facts.host.has_bpffs) return {};
  return {{Gravity::kNote,
           absl::StrCat(facts.host.bpffs,
                        " is no bpffs; srcsel up mounts one, srcsel run needs "
                        "none"),
           absl::StrCat("mount -t bpf bpf ", facts.host.bpffs)}};
}

Complaints CheckJit(const Facts &facts) {
  if (facts.host.jit.value_or(1) != 0) return {};
  return {{Gravity::kWarning, "BPF programs are interpreted: each hook takes several times as long",
           absl::StrCat(facts.host.jit_elsewhere ? "nsenter --net=/proc/1/ns/net " : "",
                        "sysctl -w net.core.bpf_jit_enable=1")}};
}

Complaints CheckBtf(const Facts &facts) {
  if (facts.host.btf) return {};
  return {
      {Gravity::kNote,
       "the kernel has no BTF (/sys/kernel/btf/vmlinux): hooks see the real user and group of a "
       "program, not those it acts under; one with CONFIG_DEBUG_INFO_BTF has it",
       ""}};
}

}  // namespace srcsel
