// A flow's way with the keys that `srcsel explain --help` lists.

#pragma once

#include <nlohmann/json.hpp>

#include "explain_text.hh"

namespace srcsel {

nlohmann::ordered_json ExplainJson(const FlowStory &story, const ExplainContext &context);

}  // namespace srcsel
