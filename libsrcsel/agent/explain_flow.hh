// A flow's whole way: what the policy does with its socket, the lookups of its connect(), the mark
// that netfilter gives its packets, the lookup after that, and where they leave.
//
// Each step is asked of what decides it elsewhere (the engine, lookup/, netfilter/evaluate.hh);
// this puts them in order and keeps what each found. What the kernel itself answers (RTM_GETROUTE)
// stands beside each lookup. Where a pool goes by turn, there is a way for each turn; the troubles
// of all are told once.
//
// Contract: about the calling thread's network namespace, whose state the snapshot is; changes
// nothing. Cost: that of the lookups, and a netlink question for each; all of it for each turn.
// Errors: of asking.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/explain_source.hh"
#include "agent/policy_in_force.hh"
#include "lookup/policy_steps.hh"
#include "lookup/rule_steps.hh"
#include "lookup/snapshot.hh"
#include "netfilter/evaluate.hh"
#include "netfilter/rule_set.hh"
#include <srcsel/abi.h>
#include <srcsel/flow.hh>
#include <srcsel/selection.hh>

namespace srcsel {

struct FlowQuestion {
  Flow flow;  // as the application leaves its socket
  Caller caller;
  const PolicyInForce *policy = nullptr;  // null: there is none
  const NfRuleSet *firewall = nullptr;    // null: it is not known
};

struct PolicyStory {
  bool covers = true;  // the caller is in the cgroup that the policy is attached to, and in no run
  bool here = true;    // the policy is for this namespace; if not, what it has of tables is not
  srcsel_decision decision{};
  // Of a pool that goes by turn or at random: all that may be bound, `decision` has the first.
  // Unspecified: the kernel chooses.
  std::vector<IpAddress> turns;
  bool at_random = false;
  std::vector<std::string> lacks;  // why the rule has no source of the flow's family
  std::string rule;                // that holds; empty: none
  std::vector<PassedRule> nearer;  // of those before it, the ones that fail by the fewest selectors
  std::size_t passed = 0;          // how many there are before it
};

enum class LookupWhen : std::uint8_t { kFirst, kAgain, kReroute };

struct LookupStory {
  LookupWhen when = LookupWhen::kFirst;
  Flow flow = {};                    // the question
  Selection selection = {};          // the answer
  std::vector<RuleStep> steps = {};  // empty: it is not by rules that it was found
  Selection asked = {};  // as far as the kernel can be asked: of an interface that is a wish
  Outcome kernel = {};
  bool agrees = true;
};

struct FirewallStory {
  NfOutcome outcome;
  std::vector<std::string> translating;  // rules for sources of the flow's family
};

struct Trouble {
  std::string text;
  std::vector<std::string> remedies;  // each a command, and behind "  # " what it brings
};

struct FlowStory {
  Flow asked;
  Caller caller;
  std::optional<PolicyStory> policy;
  int refused = 0;  // the errno with which the policy fails the connect()
  std::vector<LookupStory> lookups;
  Selection connect;  // of all lookups of the connect()
  std::optional<SourceReason> source;
  std::optional<FirewallStory> firewall;
  Outcome leaves;  // with an error, it does not
  std::vector<Trouble> troubles;
  std::vector<FlowStory> others;  // of PolicyStory::turns, the second and those behind it

  // Of all turns.
  bool agrees() const;
  // Whether the kernel hides nothing of the connect() that decides, nor a pool.
  bool exact() const { return connect.exact() && others.empty(); }
};

absl::StatusOr<FlowStory> ExplainFlow(const Snapshot &snapshot, const FlowQuestion &question);

}  // namespace srcsel
