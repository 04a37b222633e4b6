// A flow's way as an indented tree, for people.

#pragma once

#include <string>
#include <vector>

#include "agent/explain_flow.hh"
#include "agent/policy_in_force.hh"
#include "lookup/snapshot.hh"

namespace srcsel {

struct ExplainContext {
  const Snapshot &snapshot;
  const PolicyInForce *policy;              // null: none
  const std::vector<std::string> &skipped;  // of the firewall, what could not be read
  bool mapped = false;                      // it was asked by an IPv4-mapped address
};

// All lines.
std::string ExplainText(const FlowStory &story, const ExplainContext &context);

}  // namespace srcsel
