// Addresses and labels -> what the engine chooses IPv6 sources from (engine/source6.h).
//
// The part of an address's score that no destination changes is worked out here, from its flags and
// its interface's settings. Addresses that are never a source (tentative, multicast) are left out.
//
// Interfaces that state.device_order does not name come last and are marked: where one of them ties
// with another interface, the engine leaves the answer open. So it does for routes into a VRF.

#pragma once

#include <vector>

#include "state/state.hh"
#include <srcsel/abi.h>

namespace srcsel {

struct CompiledSources6 {
  std::vector<srcsel_address> addresses;
  std::vector<srcsel_label> labels;
};

// Pure; linear in addresses times labels.
CompiledSources6 CompileSources6(const State &state);

}  // namespace srcsel
