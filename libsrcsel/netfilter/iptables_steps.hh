// Matches and targets of iptables -> steps of a rule.

#pragma once

#include <set>
#include <string>
#include <vector>

#include "netfilter/ip_sets.hh"
#include "netfilter/iptables_line.hh"
#include "netfilter/rule_set.hh"

namespace srcsel {

// The steps of the line. `chains` are those of its table: a target that is one of them is a jump.
std::vector<NfStep> IptablesSteps(const IptablesLine &line, int family,
                                  const std::set<std::string> &chains, IpSets &sets);

}  // namespace srcsel
