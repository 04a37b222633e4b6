// The policy rule that holds for a flow, found one after the other.

#pragma once

#include <vector>

#include "netfilter/evaluate.hh"
#include "policy/policy.hh"

namespace srcsel {

// Null if none does.
const PolicyRule *FirstMatch(const std::vector<PolicyRule> &rules, const NfFlow &flow);

}  // namespace srcsel
