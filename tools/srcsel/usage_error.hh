// What is wrong with the words on the command line, and what would be accepted.

#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace srcsel {

// One sentence, of `error` as app.parse() threw it.
std::string UsageError(const CLI::App &app, const CLI::ParseError &error);

}  // namespace srcsel
