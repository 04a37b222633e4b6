// What the preload in a running process has counted, read from that process's memory.
//
// Needs what ptrace() needs: the same user, and no Yama that forbids it, or CAP_SYS_PTRACE.
// Cost: /proc/PID/maps and two pages.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>

namespace srcsel {

// How often, by reason ("source", "no-port"), those that there were; {} if it cannot be read.
std::map<std::string, std::uint64_t> PreloadCounts(pid_t pid);

}  // namespace srcsel
