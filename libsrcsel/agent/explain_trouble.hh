// What is wrong with a flow's way, in words, and what mends it.
//
// Three things can be: it does not leave at all; its mark leads it to a table that leads nowhere;
// or it leaves by an interface that does not own its source, which is what srcsel is there for.
// Each remedy can be typed as it is; an ip rule by source has been tried, on a copy of the state,
// and is named for sources alone that are bound: those that follow from a mark's route are mended
// there.
//
// Pure but for that names are read. Cost: that of steering_commands.hh.

#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "agent/explain_flow.hh"
#include "lookup/snapshot.hh"
#include <srcsel/flow.hh>

namespace srcsel {

// `flow` is the socket's as the policy leaves it.
absl::StatusOr<std::vector<Trouble>> TroublesOf(const FlowStory &story, const Flow &flow,
                                                const Snapshot &snapshot);

}  // namespace srcsel
