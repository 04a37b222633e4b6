// Where an `up` has its policy from: the one place that knows. What else a host says about its
// sources (marks of its own firewall) joins the file's rules here, behind them.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/steer.hh"
#include "policy/finding.hh"
#include "policy/policy.hh"
#include "state/state.hh"

namespace srcsel {

struct UpPolicy {
  std::string file;  // absolute: it is read again from another directory
};

// A policy and what it means on a host in that state (resolve.hh); with an error among the findings
// it is not to be applied. Changes nothing.
struct Examined {
  Policy written, resolved;
  Findings findings;  // by line
  std::vector<Rule> wanted;
};
absl::StatusOr<Examined> Examine(const UpPolicy &policy, const State &state, Advice advice);

}  // namespace srcsel
