// srcsel verify: the mirror against the kernel, on this host.

#pragma once

#include <CLI/CLI.hpp>

namespace srcsel {

// Adds the verb to `app`. Chosen, it exits: 0 if all agree, 1 if any flow disagrees, 2 if that
// could not be found out.
void AddVerify(CLI::App &app);

}  // namespace srcsel
