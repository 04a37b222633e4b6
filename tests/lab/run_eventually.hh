// For the few things the kernel tells nobody about: ask again until it is so.
//
// Where there is an event (a pidfd, cgroup.events, a line of output), wait for that instead.

#pragma once

#include <poll.h>

#include "lab/deadline.hh"

namespace srcsel::lab {

// Whether `holds()` came true before the deadline. A millisecond between two questions leaves the
// processor to whoever is to make it so.
template <typename F>
bool Eventually(F holds, Deadline deadline = kPatience) {
  while (!holds()) {
    if (deadline.Passed()) return false;
    poll(nullptr, 0, 1);
  }
  return true;
}

}  // namespace srcsel::lab
