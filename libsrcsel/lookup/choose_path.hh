// Which path of a route a lookup takes: fib_select_path() for IPv4, fib6_select_path() for IPv6.
//
// Calls `take` with each path the kernel may take, and the terms of its route: once where that is
// known. Pure. Cost: constant for a route of one path; a hash for one of several.

#pragma once

#include "absl/functional/function_ref.h"
#include "lookup/answers.hh"
#include "lookup/query.hh"
#include "lookup/snapshot.hh"
#include "lookup/walk.hh"

namespace srcsel {

using TakePath = absl::FunctionRef<void(const RouteTerms &, const Path &)>;

void ChoosePath4(const Snapshot &snapshot, const Query &query, const Reached &reached,
                 Answers &answers, TakePath take);

// `strict`: none but the flow's device will do.
void ChoosePath6(const Snapshot &snapshot, const Query &query, bool strict,
                 const srcsel_route &route, Answers &answers, TakePath take);

}  // namespace srcsel
