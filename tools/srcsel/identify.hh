// srcsel identify and srcsel pids: which policy holds for which process.

#pragma once

#include <CLI/CLI.hpp>

namespace srcsel {

// Chosen, it exits: 0 if a policy holds for the process, 1 if none does, 2 if that could not be
// found out.
void AddIdentify(CLI::App &app);

void AddPids(CLI::App &app);

}  // namespace srcsel
