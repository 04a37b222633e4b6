// srcsel route get: the mirror's answer to what `ip route get` is asked.

#pragma once

#include <CLI/CLI.hpp>

namespace srcsel {

// Adds the verb to `app`. Chosen, it exits: 0 with an answer, 2 with an error, be it the answer's
// or that of the words.
void AddRoute(CLI::App &app);

}  // namespace srcsel
