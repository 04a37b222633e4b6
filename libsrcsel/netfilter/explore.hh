// What the rules make of all flows at once: an ordered list of classes of flows, each with its
// outcome; the first class that a flow is in holds, and each flow is in one.
//
// The rules are gone through once with all flows. Where a match divides them, those that it holds
// for are followed to the end first, then the others go on: so no class ever has to say what a flow
// is not. Where a match cannot be known, both ways are gone, and flows for which they do not end
// alike are unknown.
//
// What is assumed: it is a connection's first packet, its tos is 0, as that of nearly all is (where
// a rule that does something looks at it, the outcome says so), and its destination is neither this
// host nor a broadcast or multicast address (the engine leaves these alone before it asks any
// policy).
//
// Pure. Cost: the more rules that overlap, the more classes; work is bounded, and what is left
// beyond the bound is unknown.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "netfilter/condition.hh"
#include "netfilter/first_ways.hh"
#include "netfilter/output_chains.hh"
#include "netfilter/rule_set.hh"

namespace srcsel {

struct NfEnd {
  std::string unknown;  // the rule, and what about it; empty: all below is known
  bool dropped = false;
  NfMark mark;                        // as the packet leaves
  NfMark connection;                  // left for the next ones
  NfMark routed;                      // by which mark its route was looked up last
  const NfRule *marked_by = nullptr;  // the rule that set the mark last
  // A rule because of which packets of another tos than 0 may end otherwise.
  const NfRule *by_tos = nullptr;
};

struct NfClass {
  Condition flows;
  NfEnd end;
};

// The chains that Explore() follows. The rule set must outlive them. `ways`: whether it is to know
// the first ways of flows.
std::vector<NfOutputChain> ChainsThatMatter(const NfRuleSet &rules, int family, bool ways);

// Flows that are in `flows`, whose socket bears `mark` and which come by these ways; null: by ways
// not known. Takes its steps from `budget`; without any left, what is not explored yet is unknown.
std::vector<NfClass> Explore(const std::vector<NfOutputChain> &chains, const Condition &flows,
                             const NfMark &mark, const NfWays *ways, std::size_t &budget);

// Whether both ends are known and the same, for flows of the condition and packets of tos 0.
bool EndAlike(const NfEnd &a, const NfEnd &b, const Condition &flows);

}  // namespace srcsel
