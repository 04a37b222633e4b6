// Tables that an ip rule leads a mark to and that lead nowhere: the uplink they are for is down, or
// nobody has given them a route.
//
// A route leads on if it is more than the way to a subnet of this host's own; what is refused or
// kept here on purpose (prohibit, local) counts too, what says to go on (throw) does not. The
// tables local, main and default are no uplink's. A family that has no address here is left out.
//
// Which interface the table is for follows from what is left in it, or from rules by source that
// lead to it too; or it is the one that has an address, and is no other table's nor the first way.
//
// Pure but for that names are read. Cost: linear in rules times routes.

#pragma once

#include <string>
#include <vector>

#include "agent/default_route.hh"
#include "agent/mark_rules.hh"
#include "state/state.hh"

namespace srcsel {

struct DeadTable {
  int family = AF_INET;
  MarkRule rule;
  // "ip rule 32765 leads mark 0x64 to table 100, which is empty, and eth1 is down: ..."
  std::string words;
  Commands mend;
};

// One for each rule.
std::vector<DeadTable> FindDeadTables(const State &state);

}  // namespace srcsel
