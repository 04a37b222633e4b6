// Why a flow is not one that certain rules of an image's policy hold for.
//
// Each property that rules select by is looked up as the engine does it (engine/classify.h), and
// what it finds is asked rule by rule. Pure. Cost: a trie lookup a property, a bit a rule.

#pragma once

#include <cstdint>
#include <vector>

#include "image/image.hh"
#include <srcsel/abi.h>

namespace srcsel {

struct PassedRule {
  std::uint32_t index = 0;                   // in the image's policy
  std::vector<srcsel_property> missed = {};  // what the flow has another value of
};

// The word of the policy language: "to", "ipproto", "dport", ...
const char *PropertyWord(srcsel_property property);

// All rules before number `end`, in order: the one that holds, or SRCSEL_NONE if none does.
std::vector<PassedRule> RulesPassed(const Image &image, const srcsel_flow &flow, std::uint32_t end);

}  // namespace srcsel
