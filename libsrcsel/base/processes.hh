// The processes that /proc shows here.

#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace srcsel {

// In rising order; none if there is no /proc.
std::vector<pid_t> Processes();

// Of each namespace of the kind ("mnt", "net") that they are in, the first that is in it; none of
// those that may not be looked at.
std::vector<pid_t> OnePerNamespace(const std::string &kind);

}  // namespace srcsel
