// Findings about a policy as every verb's --json has them, and JSON as every verb prints it: a
// line.

#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "policy/finding.hh"

namespace srcsel {

nlohmann::ordered_json FindingsToJson(const Findings &findings);

// In ASCII: nothing in it does anything to a terminal. What is no UTF-8, as names of files and
// processes may be, is replaced.
std::string JsonLine(const nlohmann::ordered_json &json);

}  // namespace srcsel
