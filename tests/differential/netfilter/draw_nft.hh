// A random nft rule set: chains that mark what this host sends, as people write them.

#pragma once

#include <string>

#include "dice.hh"

namespace srcsel {

// For `nft -f`. With `unknown`, some of its rules ask for what cannot be known.
std::string DrawNft(Dice &dice, bool unknown);

}  // namespace srcsel
