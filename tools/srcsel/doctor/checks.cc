#include "srcsel/doctor/checks.hh"

#include <algorithm>
#include <functional>
#include <utility>

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
    {"rp-filter", CheckReversePath},
    {"from-rule", CheckFromRules},
    {"fwmark-accept", CheckFwmarkAccept},
    {"source-nat", CheckSourceNat},
    {"firewall", CheckFirewallRead},
    {"mark-mask", CheckMarkMasks},
    {"mark-value", CheckMarkValues},
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
      all.push_back(std::move(complaint));
    }
  std::ranges::stable_sort(all, std::greater<>(), &Complaint::gravity);
  return all;
}

}  // namespace srcsel
