// Whether an answer of ours is the kernel's.

#pragma once

#include <algorithm>

#include <srcsel/selection.hh>

namespace srcsel {

// In all that RTM_GETROUTE tells.
inline bool SameRoute(const Outcome &ours, const Outcome &kernel) {
  if (ours.error != 0 || kernel.error != 0) return ours.error == kernel.error;
  return ours.source == kernel.source && ours.oif == kernel.oif && ours.gateway == kernel.gateway &&
         ours.table == kernel.table && ours.type == kernel.type && ours.mtu == kernel.mtu;
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
