// A random host, as the list of commands that make it.
//
// Each line is one that `ip` (iproute2 6.15 or later) or `sysctl` takes, with links by name and by
// a fixed index, so that a host made of some of the lines is the same in all else. Lines that the
// kernel refuses are part of the game.

#pragma once

#include <string>
#include <vector>

#include "differential/draw.hh"

namespace srcsel {

struct DrawnHost {
  std::vector<std::string> commands;
  // Made to have much that the kernel does not show: seeds, source ports that matter, defaults that
  // take turns, tables that may be merged.
  bool hidden = false;
};

DrawnHost DrawHost(Draw &draw);

}  // namespace srcsel
