// What was measured, as JSON and as a table on stdout.

#pragma once

#include <nlohmann/json.hpp>

namespace srcsel::bench {

using Json = nlohmann::ordered_json;

// The ways and the keys, explained: the end of --help.
const char *ReportKeys();

void Print(const Json &report);

}  // namespace srcsel::bench
