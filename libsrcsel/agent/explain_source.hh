// Why a lookup gave a flow the source it has, in words.
//
// Pure. Cost: linear in the host's addresses.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lookup/snapshot.hh"
#include <srcsel/flow.hh>
#include <srcsel/selection.hh>

namespace srcsel {

struct SourceReason {
  // Stable: "bound", "prefsrc", "destination", "subnet", "first", "other-device", "no-address",
  // "rfc6724", "only"; "rule" of a policy.
  std::string word;
  std::string text;  // "the route names it (src)"
};

// `flow` has no source; `outcome` is that of its lookup, without an error; `terms` as in RuleStep.
SourceReason WhySource(const Snapshot &snapshot, const Flow &flow, const Outcome &outcome,
                       std::optional<std::uint32_t> terms);

}  // namespace srcsel
