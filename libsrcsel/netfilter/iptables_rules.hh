// What iptables-save or ip6tables-save prints -> the rules as values.
//
// Contract: takes the format of iptables 1.8, with or without counters. A match or target that is
// not known becomes an unknown step with its words. A line that is none makes every packet unknown
// that passes its chain, or its table where the chain cannot be told, and is among the skipped.
//
// Cost: about 2 us a line, and that of ip_sets.hh.

#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "netfilter/ip_sets.hh"
#include "netfilter/rule_set.hh"

namespace srcsel {

// Adds to `rules`; returns the names of the tables it saw. `family` is AF_INET or AF_INET6; `sets`
// are those that `-m set` looks into.
std::vector<std::string> AddIptablesRules(absl::string_view saved, NfOrigin origin, int family,
                                          IpSets &sets, NfRuleSet &rules);

}  // namespace srcsel
