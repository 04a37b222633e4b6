// What the kernel's text files say about the machine.

#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace srcsel {

// Of /proc/PID/status: the capabilities that loading, attaching and probing want and that are not
// in effect. None if the text has no such line.
std::vector<std::string> MissingCaps(absl::string_view status);

// Of /sys/kernel/security/lockdown, "none [integrity] confidentiality": what is in brackets, but
// for "none".
std::string LockdownLevel(absl::string_view text);

// Of a mountinfo(5) table: net_cls and net_prio, where cgroups have been made in their hierarchy.
// Looks into the directories that it names.
std::vector<std::string> NetControllersInUse(absl::string_view mountinfo);

}  // namespace srcsel
