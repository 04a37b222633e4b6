// srcsel up, and what is asked of it while it is up: reload, confirm, down.

#pragma once

#include <CLI/CLI.hpp>

namespace srcsel {

void AddUp(CLI::App &app);
void AddReload(CLI::App &app);
void AddConfirm(CLI::App &app);
void AddDown(CLI::App &app);

}  // namespace srcsel
