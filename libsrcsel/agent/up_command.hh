// The commands that mend an `up`, as one types them in a shell, from any directory and any network
// namespace.

#pragma once

#include <string>

#include "agent/up_state.hh"

namespace srcsel {

// The one that brought it up: takes over where nobody keeps it.
std::string UpCommand(const UpState &state);

// Takes down what is left, and brings the same up anew.
std::string AgainCommand(const UpState &state);

}  // namespace srcsel
