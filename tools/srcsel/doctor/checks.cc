#include "srcsel/doctor/checks.hh"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/in_netns.hh"

namespace srcsel {
namespace {

constexpr DoctorCheck kChecks[] = {
    {"privilege", CheckPrivilege},
    {"hooks", CheckHooks},
    {"lockdown", CheckLockdown},
    {"kernel", CheckKernel},
    {"cgroup2", CheckCgroup2},
    {"cgroup-v1", CheckCgroupV1},
    {"memlock", CheckMemlock},
    {"bpffs", CheckBpffs},
    {"jit", CheckJit},
    {"btf", CheckBtf},
    {"up", CheckUp},
    {"up-version", CheckUpVersion},
    {"dead-uplink", CheckDeadUplinks, true},
    {"rp-filter", CheckReversePath, true},
    {"from-rule", CheckFromRules, true},
    {"fwmark-accept", CheckFwmarkAccept, true},
    {"source-nat", CheckSourceNat, true},
    {"firewall", CheckFirewallRead, true},
    {"mark-mask", CheckMarkMasks, true},
    {"mark-value", CheckMarkValues, true},
};

}  // namespace

std::span<const DoctorCheck> DoctorChecks() {
  return kChecks;
}

Complaints Examine(const Facts &facts) {
  Complaints all;
  for (const DoctorCheck &check : kChecks)
    for (Complaint &complaint : check.find(facts)) {
      complaint.id = check.id;
      if (check.of_netns) complaint.remedy = InNetns(facts.network.netns, complaint.remedy);
      all.push_back(std::move(complaint));
    }
  std::ranges::stable_sort(all, std::greater<>(), &Complaint::gravity);
  return all;
}

}  // namespace srcsel
