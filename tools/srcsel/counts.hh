// What hooks have counted, as status and stats print it.

#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/string_view.h"
#include "hooks/kept_counts.hh"

namespace srcsel {

// The stable word of enum srcsel_reason.
absl::string_view ReasonWord(std::uint32_t reason);

// All of them, in the order of the enum.
std::vector<std::string> ReasonWords();

// Of a rule by its number; `names` are those of the policy.
std::string RuleName(std::size_t rule, const std::vector<std::string> &names);

// Only what has happened: {"mark": 12, "no-rule": 3}.
nlohmann::ordered_json ReasonsToJson(const Counters &reasons);

// All rules, in order.
nlohmann::ordered_json RulesToJson(const std::vector<srcsel_tally> &rules,
                                   const std::vector<std::string> &names);

// Indented lines.
std::string CountsToText(const KeptCounts &counts, const std::vector<std::string> &names);

}  // namespace srcsel
