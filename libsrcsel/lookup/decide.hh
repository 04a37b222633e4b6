// The engine over an image, in this process: what a hook would decide for the same flow.
//
// Pure and thread-safe. Cost: as in engine/decide.h, tens of nanoseconds plus 15 ns an ip rule.

#pragma once

#include "absl/strings/string_view.h"
#include "image/image.hh"
#include <srcsel/abi.h>

namespace srcsel {

srcsel_decision Decide(const Image &image, const srcsel_flow &flow);

// The stable word for a reason: "mark", "app-source", ... ; "?" if there is no such reason.
absl::string_view ReasonText(std::uint32_t reason);

}  // namespace srcsel
