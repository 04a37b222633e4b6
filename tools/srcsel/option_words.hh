// What options take, and what is said of anything else: the same for every verb.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace srcsel {

// "'tcsh' is none of bash, zsh, fish". Its description is what completion offers.
CLI::Validator OneOf(const std::vector<std::string> &words);

// "'0' is no number from 1 to 4294967295".
CLI::Validator NumberFrom(std::uint64_t first, std::uint64_t last);

}  // namespace srcsel
