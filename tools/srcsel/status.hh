// srcsel status: what is up.

#pragma once

#include <CLI/CLI.hpp>

namespace srcsel {

void AddStatus(CLI::App &app);

}  // namespace srcsel
