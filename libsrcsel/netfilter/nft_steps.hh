// A statement of nft's JSON -> steps of a rule.

#pragma once

#include <vector>

#include "netfilter/nft_sets.hh"
#include "netfilter/rule_set.hh"

namespace srcsel {

// What changes nothing adds no step.
void AddNftSteps(const NftJson &statement, NftSets &sets, std::vector<NfStep> &steps);

}  // namespace srcsel
