// Runs a program that prints something, in the network namespace of the calling thread.
//
// Errors: NotFound if there is no such program; else what it wrote to stderr, its status, or that
// it did not end within ten seconds (it is killed then).

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace srcsel {

// Looks for the program in PATH, then in /usr/sbin and /sbin. Of what it complains the first line
// is told.
absl::StatusOr<std::string> RunProgram(const std::vector<std::string> &arguments);

}  // namespace srcsel
