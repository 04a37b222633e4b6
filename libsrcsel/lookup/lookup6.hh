// One IPv6 output lookup: ip6_route_output_flags() of Linux's route.c, with the source that
// ip6_route_get_saddr() gives a flow without one. Spec: sections 5 and 6.
//
// Adds what it may end in; with the source :: if there is none. Pure. Cost: a walk of the rules;
// then one of the host's addresses if the route names no source.

#pragma once

#include "lookup/answers.hh"
#include "lookup/query.hh"
#include "lookup/snapshot.hh"

namespace srcsel {

// Whether none but the flow's device will do.
bool IsStrict6(const Query &query);

void Lookup6(const Snapshot &snapshot, const Query &query, Answers &answers);

// The source for a destination that a lookup found no route to: of any device. Calls `take` with
// each it may be; an error of EADDRNOTAVAIL if there is none.
void SourceWithoutRoute6(const Snapshot &snapshot, const Query &query, Answers &answers,
                         absl::FunctionRef<void(const IpAddress &)> take);

}  // namespace srcsel
