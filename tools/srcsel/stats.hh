// srcsel stats: what hooks have counted.

#pragma once

#include <CLI/CLI.hpp>

namespace srcsel {

void AddStats(CLI::App &app);

}  // namespace srcsel
