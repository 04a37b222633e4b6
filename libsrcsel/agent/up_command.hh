// The commands that mend an `up`, as one types them in a shell, from any directory and any network
// namespace.

#pragma once

#include <string>

#include "agent/up_state.hh"

namespace srcsel {

// The one that brought it up, on trial if it was and has not been confirmed: takes over where
// nobody keeps it. The state must be known.
std::string UpCommand(const UpState &state);

// Whether somebody may want it on: not if nothing is known of it, nor a trial that has run out.
bool IsWorthKeeping(const UpState &state);

// Takes down what is left, and brings the same up anew if it is worth keeping.
std::string AgainCommand(const UpState &state);

}  // namespace srcsel
