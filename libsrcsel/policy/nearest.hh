// The word somebody meant.

#pragma once

#include <span>
#include <string>

#include "absl/strings/string_view.h"

namespace srcsel {

// The candidate that a slip of the hand or two makes of `word`; empty if none is that close.
absl::string_view Nearest(absl::string_view word, std::span<const absl::string_view> candidates);

}  // namespace srcsel
