// Where an `up` has its policy from: the rules of a file and what it includes, and behind them, for
// what these do not hold for, the marks of the host's own firewall.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/steer.hh"
#include "netfilter/compile_marks.hh"
#include "policy/finding.hh"
#include "policy/policy.hh"
#include "state/state.hh"

namespace srcsel {

struct UpPolicy {
  std::string file;  // absolute: it is read again from another directory; empty: there is none
};

// A policy and what it means on a host in that state (resolve.hh); with an error among the findings
// it is not to be applied, and of the host only what is wrong with the other rules is told. Changes
// nothing.
struct Examined {
  Policy written, resolved;
  Findings findings;  // by file and line
  std::vector<Rule> wanted;
};
absl::StatusOr<Examined> Examine(const UpPolicy &policy, const State &state, Advice advice);

// Puts the firewall's rules behind those of the file.
absl::Status AddMarks(const MarkPolicy &marks, const State &state, Examined &examined);

}  // namespace srcsel
