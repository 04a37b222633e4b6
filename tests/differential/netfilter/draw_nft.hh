// A random nft rule set: chains that mark what this host sends, as people write them.

#pragma once

#include <cstddef>
#include <string>

#include "dice.hh"

namespace srcsel {

struct NftCgroup {
  std::string path;  // below /sys/fs/cgroup
  std::size_t level = 0;
};

// For `nft -f`. With `unknown`, some of its rules ask for what cannot be known. `cgroup` is one
// that they may name.
std::string DrawNft(Dice &dice, bool unknown, const NftCgroup &cgroup);

}  // namespace srcsel
