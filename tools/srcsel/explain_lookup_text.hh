// One lookup of a flow, rule by rule, for people.

#pragma once

#include <cstdint>
#include <string>

#include "agent/explain_flow.hh"
#include "state/state.hh"

namespace srcsel {

// "0", "0x64".
std::string MarkWords(std::uint32_t mark);
// "default via 10.0.0.254 dev eth0 metric 100".
std::string RouteWords(const Outcome &outcome, const State &state);
// That, or the error.
std::string AnswerWords(const Outcome &outcome, const State &state);
// What became of the step's rule: "skipped: fwmark, it is 0".
std::string StepWords(const RuleStep &step, const LookupStory &lookup, const State &state);

// Indented lines; `before` is the lookup before it, if any was.
std::string LookupText(const LookupStory &lookup, const LookupStory *before, const State &state);

}  // namespace srcsel
