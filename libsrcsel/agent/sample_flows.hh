// Flows for which a rule of a policy holds: enough of them to tell where its traffic goes.
//
// Of the rule's destinations, up to 4,096 spread evenly over its prefixes, each the first address
// of one; of a rule for all destinations, addresses here and there in what is routed in the
// Internet. Of its other selectors, each item's first value, in all combinations as long as they
// are few. Deterministic.

#pragma once

#include <vector>

#include "policy/policy.hh"
#include <srcsel/flow.hh>

namespace srcsel {

std::vector<Flow> SampleFlows(const PolicyRule &rule, int family);

}  // namespace srcsel
