// What each ip rule has to do with a lookup, in the order in which the kernel asks them.
//
// The engine takes every step (srcsel_rule_step()); this only notes what became of it. Which
// selector a rule fails by is asked of the engine too: of the rule with that selector alone. The
// last step is the one that decides, unless the rules ran out. Where the kernel hides what decides,
// the last step says so, and Lookup() has the candidates.
//
// Pure. Cost: a dozen times that of the walk.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lookup/snapshot.hh"
#include <srcsel/flow.hh>

namespace srcsel {

// What a rule selects by; the words are those of `ip rule`.
enum class RuleSelector : std::uint8_t {
  kTo,
  kFrom,
  kMark,
  kOif,
  kProto,
  kDport,
  kSport,
  kFlowLabel,
  kUid,
  kDscp,
  kNever,  // iif, tun_id, l3mdev, or an interface that is not there: no flow of this host's own
};

enum class RuleEnd : std::uint8_t {
  kSkipped,     // a selector does not hold, or of an inverted rule all do
  kJumpedOver,  // by a goto before it
  kJumps,       // is a goto
  kDoesNothing,
  kNoRoute,     // its table has no route for the flow
  kThrows,      // its table says to go on (throw)
  kSuppressed,  // its table has one that the rule does not take
  kDecides,     // its table has the route
  kForbids,     // it, or the route of its table, refuses
  kUnknown,     // whether it holds, or what its table has, is not to be known
};

// One word, stable: "skipped", "no-route", "decides", ...
const char *RuleEndWord(RuleEnd end);
// The word of `ip rule`: "fwmark", "uidrange"; of kNever "iif".
const char *RuleSelectorWord(RuleSelector selector);

struct RuleStep {
  std::size_t index = 0;   // in Snapshot::Rules() of the flow's family
  std::uint32_t pref = 0;  // of the rule
  RuleEnd end = RuleEnd::kSkipped;
  std::vector<RuleSelector> missed = {};  // of kSkipped; none if the rule is inverted
  // The route's number in State's Routes::terms(), where there is one and that is known.
  std::optional<std::uint32_t> terms = {};
};

// Of one lookup with the flow's source as it is.
std::vector<RuleStep> RuleSteps(const Snapshot &snapshot, const Flow &flow);

}  // namespace srcsel
