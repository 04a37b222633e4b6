// Whether an answer of ours is the kernel's.

#pragma once

#include <linux/rtnetlink.h>

#include <algorithm>

#include <srcsel/selection.hh>

namespace srcsel {

// The kernel says "main" for a route of IPv4's table local while the two are one.
inline bool SameTable(const Outcome &ours, const Outcome &kernel) {
  return ours.table == kernel.table || (ours.dst.address.is_v4() && ours.table == RT_TABLE_LOCAL &&
                                        kernel.table == RT_TABLE_MAIN);
}

// In all that RTM_GETROUTE tells.
inline bool SameRoute(const Outcome &ours, const Outcome &kernel) {
  if (ours.error != 0 || kernel.error != 0) return ours.error == kernel.error;
  return ours.source == kernel.source && ours.oif == kernel.oif && ours.gateway == kernel.gateway &&
         SameTable(ours, kernel) && ours.type == kernel.type && ours.mtu == kernel.mtu;
}

// Where ours is ambiguous, the kernel's must be possible.
template <typename Same>
bool Agrees(const Selection &ours, const Outcome &kernel, Same same) {
  if (ours.exact()) return same(ours.outcome, kernel);
  return !ours.complete || std::ranges::any_of(ours.candidates, [&](const Outcome &candidate) {
    return same(candidate, kernel);
  });
}

}  // namespace srcsel
