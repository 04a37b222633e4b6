// `ip rule add`, done without `ip`: that of Debian 12 knows no dscp, no flow labels and no masks of
// ports.

#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "differential/oracle.hh"

namespace srcsel {

// Adds the rule to the namespace of the thread. `words` are those after
// "rule add". The error is the kernel's, or that of words that are not understood.
absl::Status AddRuleByHand(bool v6, const std::vector<std::string> &words);

}  // namespace srcsel
