// The ip rules that --steer adds (steering_rule.hh): ours alone, told from all others by the
// protocol number they bear.
//
// What is mirrored is the state without them: they act on lookups that have a source, and a hook
// decides before there is one; and so what is needed can be found anew at any time.

#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/up_paths.hh"
#include "base/fd.hh"
#include "state/rule.hh"

namespace srcsel {

enum class RuleOwner : std::uint8_t {
  kUp = 83,    // an `up`'s: gone with it
  kRun = 115,  // those of all runs in the namespace: gone with the last of them
};

// Takes out those of either owner.
void DropOwnRules(std::vector<Rule> &rules);

// Whether `rules`, all that there are, have of the owner's exactly what is wanted, behind all
// others of the same preference; of runs, which share: at least that.
bool HasAll(const std::vector<Rule> &rules, const std::vector<Rule> &wanted, RuleOwner owner);

// Adds those that are missing, and anew those that others of the same preference have come behind,
// in the calling thread's namespace.
absl::Status AddOwnRules(const std::vector<Rule> &wanted, RuleOwner owner);
// Makes HasAll() so: adds first, then removes what is wanted nowhere. One that is to go behind
// others is removed first: the kernel takes no second one like it.
absl::Status MakeOwnRules(const std::vector<Rule> &wanted, RuleOwner owner);
absl::Status RemoveOwnRules(RuleOwner owner);

// Held by each run that steers in this namespace, as long as it lives. Taking it, one removes what
// runs that were killed have left.
absl::StatusOr<Fd> JoinSteeringRuns();
// Gives it back, in the same namespace; the last one removes the rules.
void LeaveSteeringRuns(Fd membership);

}  // namespace srcsel
