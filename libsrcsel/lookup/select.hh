// What the kernel will do with a flow, worked out over a snapshot.
//
// Contract: Linux 6.18 (before: ARCHITECTURE.md). Pure, thread-safe. Where something decides that
// the kernel does not show, the answer is ambiguous and names all candidates; it is never guessed.
//
// Cost: one walk of the rules and one table lookup where nothing makes a connect()'s later lookups
// differ from its first; up to three where something does; one a candidate where it is ambiguous.

#pragma once

#include "lookup/snapshot.hh"
#include <srcsel/flow.hh>
#include <srcsel/selection.hh>

namespace srcsel {

// connect() of a socket that is as the flow says: the source is that of the first lookup, the way
// out that of the last.
Selection Select(const Snapshot &snapshot, const Flow &flow);

// One output lookup, with the flow's addresses and ports as they are: what RTM_GETROUTE answers.
Selection Lookup(const Snapshot &snapshot, const Flow &flow);

}  // namespace srcsel
