// One IPv4 output lookup: ip_route_output_key_hash_rcu() and __mkroute_output() of Linux's route.c,
// with the source chosen as fib_result_prefsrc() does. Spec: sections 3 and 4.
//
// Adds what it may end in. Pure. Cost: a walk of the rules; a search of the host's addresses only
// for flows of a device.

#pragma once

#include "lookup/answers.hh"
#include "lookup/query.hh"
#include "lookup/snapshot.hh"

namespace srcsel {

// Whether a lookup accepts the source as one of the host's own: it is that of a device, or the
// local table calls it local, or main does and the two are one.
enum class Own { kNo, kYes, kPerhaps };
Own OwnSource4(const Snapshot &snapshot, const IpAddress &address);

void Lookup4(const Snapshot &snapshot, const Query &query, Answers &answers);

}  // namespace srcsel
