// What doctor knows to look for. Each check is a function of the facts alone; its id is stable, and
// a heading of the troubleshooting page.

#pragma once

#include <span>

#include "srcsel/doctor/complaint.hh"
#include "srcsel/doctor/facts.hh"

namespace srcsel {

struct DoctorCheck {
  const char *id;
  Complaints (*find)(const Facts &facts);
  bool of_netns =
      false;  // what mends it is to be typed in the network namespace that was looked at
};

std::span<const DoctorCheck> DoctorChecks();

// All that all checks find, the gravest first.
Complaints Examine(const Facts &facts);

// check_host.cc
Complaints CheckPrivilege(const Facts &facts);
Complaints CheckHooks(const Facts &facts);
Complaints CheckLockdown(const Facts &facts);
Complaints CheckKernel(const Facts &facts);
Complaints CheckCgroup2(const Facts &facts);
Complaints CheckCgroupV1(const Facts &facts);
Complaints CheckMemlock(const Facts &facts);
Complaints CheckBpffs(const Facts &facts);
Complaints CheckJit(const Facts &facts);
Complaints CheckBtf(const Facts &facts);
// check_up.cc
Complaints CheckUp(const Facts &facts);
Complaints CheckUpVersion(const Facts &facts);
// check_network.cc
Complaints CheckDeadUplinks(const Facts &facts);
Complaints CheckReversePath(const Facts &facts);
Complaints CheckFromRules(const Facts &facts);
Complaints CheckFwmarkAccept(const Facts &facts);
Complaints CheckSourceNat(const Facts &facts);
Complaints CheckFirewallRead(const Facts &facts);
// check_marks.cc
Complaints CheckMarkMasks(const Facts &facts);
Complaints CheckMarkValues(const Facts &facts);

}  // namespace srcsel
