// srcsel check: whether a policy file is right, and right for this host.

#pragma once

#include <CLI/CLI.hpp>

namespace srcsel {

// Adds the verb to `app`. Chosen, it exits: 0 if the policy can be used, 2 if it has an error or
// that could not be found out.
void AddCheck(CLI::App &app);

}  // namespace srcsel
