// What rules and routes are made of, as words: those that a tally counts.

#pragma once

#include <string>
#include <vector>

#include "state/state.hh"
#include <srcsel/selection.hh>

namespace srcsel {

// Of the rule that decided, if its preference is no other rule's of the family.
std::vector<std::string> TermsOfRule(const State &state, int family, const Outcome &outcome);
// Of the route that decided; of what took its place if none did.
std::vector<std::string> TermsOfRoute(const State &state, int family, const Outcome &outcome);

// A rule's words for handing a flow on: "goto", "nop", "suppress_prefixlength" ...; empty if it
// does not.
std::string HandingOn(const Rule &rule);

inline std::string FamilyWord(int family) {
  return family == AF_INET ? "IPv4 " : "IPv6 ";
}

// Each of these decides some flows wherever hosts are drawn by the hundred.
std::vector<std::string> AllTerms();

}  // namespace srcsel
