// --netns, the same for every verb that has it.

#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "absl/status/status.h"

namespace srcsel {

// Adds the option, whose value goes to `name`: a name as `ip netns` knows it, or a path. Left out,
// it stays empty and means the namespace one is in.
void AddNetnsOption(CLI::App &verb, std::string &name, const std::string &help);

// Moves the calling thread into the namespace the option names.
absl::Status EnterNetnsOption(const std::string &name);

}  // namespace srcsel
