// `srcsel completion SHELL`: what a shell needs to complete srcsel's command line. Written from the
// tree of commands, so that a verb or an option is completed as soon as there is one.

#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "command_tree.hh"

namespace srcsel {

void AddCompletion(CLI::App &app);

std::string BashCompletion(const Command &root);
std::string ZshCompletion(const Command &root);
std::string FishCompletion(const Command &root);

}  // namespace srcsel
