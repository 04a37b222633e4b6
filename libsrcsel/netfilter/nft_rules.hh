// What nft lists as JSON -> the rules as values.
//
// Contract: takes libnftables' JSON of schema version 1 as nft 1.0 and later write it. What it does
// not know becomes an unknown step with its words, never nothing. Tables that iptables keeps in
// nft's place are opaque there: they are left to iptables_rules.hh.
//
// Cost: about 5 us a rule, 1 us an element of a set in the list. Errors: the text is not such JSON.

#pragma once

#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "netfilter/nft_elements.hh"
#include "netfilter/nft_values.hh"
#include "netfilter/rule_set.hh"

namespace srcsel {

// Adds to `rules`. `of_iptables` are names of tables to leave out, as "ip mangle", "ip6 nat". Where
// the list is one without the elements of named sets, `elements` has them.
absl::Status AddNftRules(const NftJson &document, const std::set<std::string> &of_iptables,
                         NftElements *elements, NfRuleSet &rules);
// A list that is whole.
absl::Status AddNftRules(absl::string_view json, const std::set<std::string> &of_iptables,
                         NfRuleSet &rules);

}  // namespace srcsel
