// The engine's walk of the rules, with what a hook does not need: the errno of a refusal, and all
// ends that a walk may come to where the kernel hides which.
//
// Pure. Cost: that of the engine's walk.

#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "lookup/answers.hh"
#include "lookup/snapshot.hh"

namespace srcsel {

// An end of a walk.
struct Reached {
  int error = 0;                        // of a rule or a route that refuses, or of no route
  const srcsel_route *route = nullptr;  // without an error
  std::uint32_t rule = kNoRule;         // its preference
  std::uint32_t table = 0;              // looked up by the rule
};

void WalkRules(const Snapshot &snapshot, const srcsel_flow &flow, Answers &answers,
               absl::FunctionRef<void(const Reached &)> reach);

}  // namespace srcsel
