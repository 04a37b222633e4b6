// The processes that /proc shows here.

#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace srcsel {

// In rising order; none if there is no /proc.
std::vector<pid_t> Processes();

// Whether a process is in the caller's namespace of the kind ("mnt", "user"); no, if it may not be
// looked at.
bool SharesNamespace(pid_t pid, const std::string &kind);

// Of each namespace of the kind ("mnt", "net") that these are in, the first that is in it; none of
// those that may not be looked at.
std::vector<pid_t> OnePerNamespace(const std::string &kind,
                                   const std::vector<pid_t> &processes = Processes());

}  // namespace srcsel
