// A socket for each hook, in the world of probe_world.hh, and whether it got what the hook gives.

#pragma once

#include <vector>

#include "srcsel/doctor/probe.hh"
#include "srcsel/doctor/probe_world.hh"

namespace srcsel {

// Of hooks of one family; with IPv4 also of those that know none.
std::vector<Probe> ProbeSockets(const ProbeAddresses &addresses);

}  // namespace srcsel
