// What a pool may give a flow, where neither the flow nor the image says which: the pool goes by
// turn or at random.
//
// Pure. Cost: linear in the pool's slots.

#pragma once

#include <cstdint>
#include <vector>

#include "image/image.hh"
#include <srcsel/abi.h>
#include <srcsel/address.hh>

namespace srcsel {

struct PoolTurn {
  IpAddress source;          // unspecified: the kernel chooses
  std::uint32_t chance = 0;  // srcsel_flow.chance with which the flow gets it
};

struct PoolTurns {
  bool at_random = false;
  std::vector<PoolTurn> turns = {};  // each source once, in the order of the slots
};

// Of the pool of policy rule `rule`. None if it goes by destination, has but one source for the
// family, or the rule has no pool.
PoolTurns PoolTurnsOf(const Image &image, srcsel_family family, std::uint32_t rule);

}  // namespace srcsel
