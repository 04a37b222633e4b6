// The rules -> rules of a policy that give every flow the mark that netfilter will give it: an
// ordered list, the first match holds, as in any policy.
//
// A flow whose route netfilter will look up again by another mark gets that mark at the socket
// already: then the kernel's first lookup is right. That is only done where the rules, once the
// socket bears the mark, end as before (Apply::kMark); elsewhere the source that goes with the mark
// is bound and the mark is left to netfilter (Apply::kBind). Where rules look at dscp or tos, it is
// as for packets of tos 0, and what has another dscp is left to the kernel (PolicyRule::plain_tos).
// What netfilter does not route again, or drops, needs no rule. What is not known is left to the
// kernel, by a rule that says why. Rules that look at the device or the source of the first route
// become rules by destination: they are right for as long as the routes are as they were.
//
// Pure. Cost: that of explore.hh, and once more for each class; work is bounded.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "netfilter/first_ways.hh"
#include "netfilter/rule_set.hh"
#include "policy/policy.hh"

namespace srcsel {

struct MarkPolicy {
  // Named after the rule that sets the mark; one that leaves flows to the kernel after the rule
  // that is not understood, and why.
  std::vector<PolicyRule> rules;
  // Of all sockets, only those without a mark are decided about, or of all rules only the first.
  std::vector<std::string> limits;
  // The firewall's rules because of which rules hold for packets of tos 0 only, each once.
  std::vector<std::string> by_tos;
  // The names of rules that leave flows to the kernel because something is not known, each once.
  std::vector<std::string> not_understood;
};

// At most `most` rules, each of one row of an image. `ways` may be null: then what hangs on them is
// not known.
MarkPolicy CompileMarks(const NfRuleSet &rules, std::size_t most, FirstWays *ways = nullptr);
// For a file, whose rules say nothing of a tos: what hangs on it is not understood.
MarkPolicy CompileMarksForFile(const NfRuleSet &rules, std::size_t most);

}  // namespace srcsel
