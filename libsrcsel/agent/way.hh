// What a rule of a policy sends with one of its sources, as sample flows (sample_flows.hh), and
// whether it leaves by the interface that owns the source.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/uplink.hh"
#include "base/mark.hh"
#include "lookup/snapshot.hh"
#include "policy/policy.hh"
#include <srcsel/flow.hh>
#include <srcsel/selection.hh>

namespace srcsel {

struct Way {
  Uplink uplink;
  std::vector<Flow> flows;
};

// Of the rule, and of the pool if it has one; without those that let the kernel choose.
std::vector<Source> SourcesOf(const PolicyRule &rule);

// One for each source that an interface bears; what is on lo or on none has no uplink.
std::vector<Way> WaysOf(const PolicyRule &rule, const State &state);

// One for each source that the tables give for the rule's mark, with the flows that get it; they
// have the source, and not the mark.
std::vector<Way> WaysByTables(const PolicyRule &rule, const Snapshot &snapshot);

// The first flow that does not leave by the uplink, or may not, if its socket has the mark too; or
// that has no route. What is refused on purpose (prohibit, blackhole, unreachable) is not astray,
// nor is what stays on this host.
struct Astray {
  IpAddress destination;
  Outcome outcome;
};
std::optional<Astray> FirstAstray(const Way &way, Mark mark, const Snapshot &snapshot);

// "10.1.0.1 leaves by eth0, not by eth1, for example to 192.0.2.80"
std::string Describe(const Way &way, const Astray &astray, const State &state);

// That of a socket left alone.
inline constexpr Mark kNoMark{0, 0};

}  // namespace srcsel
