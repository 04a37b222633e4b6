// Pools of sources -> slots of the image. A member has as many slots as its weight says, spread so
// that turns alternate. While a member's address is not on this host its slots are lent to the
// others, and those of the others stay theirs: a flow keeps its source when somebody else's goes.

#pragma once

#include <vector>

#include "policy/policy.hh"
#include "state/state.hh"
#include <srcsel/abi.h>

namespace srcsel {

// The slots of one pool for one family: none if no member of that family is on this host.
std::vector<srcsel_slot> CompilePool(const Pool &pool, const State &state, int family);

// Whether a socket can have this address: an interface has it, or a local route covers it.
bool IsHeld(const IpAddress &address, const State &state);

}  // namespace srcsel
