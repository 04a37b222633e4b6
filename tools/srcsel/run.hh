// srcsel run: one command under a policy of its own.

#pragma once

#include <CLI/CLI.hpp>

namespace srcsel {

// Adds the verb to `app`. Chosen, it does not return: the process becomes the command, or exits
// with 125 if the policy could not be set up, 126 if the command could not be run, 127 if there is
// none.
void AddRun(CLI::App &app);

}  // namespace srcsel
