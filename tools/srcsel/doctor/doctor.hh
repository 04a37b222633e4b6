// srcsel doctor: what would stop srcsel from working here, and what mends it.

#pragma once

#include <CLI/CLI.hpp>

namespace srcsel {

void AddDoctor(CLI::App &app);

}  // namespace srcsel
