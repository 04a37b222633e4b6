// `srcsel manual`, which --help does not show: the verbs as srcsel(8) has them, in roff, written
// from the texts of --help, and behind them the reasons of decisions (reasons.hh).
// docs/man/srcsel.8.in is the page around them.

#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "command_tree.hh"

namespace srcsel {

void AddManual(CLI::App &app);

std::string ManualOf(const Command &root);

}  // namespace srcsel
