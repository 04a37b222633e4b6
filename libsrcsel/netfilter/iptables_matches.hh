// Matches of iptables -> steps of a rule.

#pragma once

#include <vector>

#include "netfilter/ip_sets.hh"
#include "netfilter/iptables_line.hh"
#include "netfilter/rule_set.hh"

namespace srcsel {

// Adds what an option of the part says; of one that is not known, an unknown match.
void AddIptablesMatches(const IptablesPart &part, int family, IpSets &sets,
                        std::vector<NfStep> &steps);

}  // namespace srcsel
