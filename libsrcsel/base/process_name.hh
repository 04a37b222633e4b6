// What a process calls itself.

#pragma once

#include <sys/types.h>

#include <string>

namespace srcsel {

// /proc/PID/comm; "?" if it is gone.
std::string ProcessName(pid_t pid);

}  // namespace srcsel
