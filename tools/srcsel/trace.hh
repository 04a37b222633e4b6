// srcsel trace: decisions as they are taken.

#pragma once

#include <CLI/CLI.hpp>

namespace srcsel {

void AddTrace(CLI::App &app);

}  // namespace srcsel
