// --netns, the same for every verb that has it.

#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace srcsel {

// Adds the option, whose value goes to `name`: a name as `ip netns` knows it, or a path. Left out,
// it stays empty and means the namespace one is in. base/in_netns.hh goes there.
void AddNetnsOption(CLI::App &verb, std::string &name, const std::string &help);

}  // namespace srcsel
