// srcsel explain: why a flow gets the source it gets, and where it leaves.

#pragma once

#include <CLI/CLI.hpp>

namespace srcsel {

// Adds the verb to `app`. Chosen, it exits: 0 if the flow leaves with a source that fits, 1 if it
// does not, 2 if that could not be found out.
void AddExplain(CLI::App &app);

}  // namespace srcsel
