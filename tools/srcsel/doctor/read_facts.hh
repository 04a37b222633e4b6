// Reads what doctor looks at; changes nothing.
//
// What cannot be read is left as it is on a host that is well: a check speaks of what is known.
// Cost: that of a state, of the firewall's rules, and of stray.hh.

#pragma once

#include "absl/status/statusor.h"
#include "srcsel/doctor/facts.hh"

namespace srcsel {

HostFacts ReadHostFacts(const UpPaths &paths);
UpFacts ReadUpFacts(const UpPaths &paths);
// Of the calling thread's namespace.
absl::StatusOr<NetworkFacts> ReadNetworkFacts();

}  // namespace srcsel
