// srcsel import: the marks that this host's firewall gives to what it sends, as a policy file.

#pragma once

#include <CLI/CLI.hpp>

namespace srcsel {

void AddImport(CLI::App &app);

}  // namespace srcsel
