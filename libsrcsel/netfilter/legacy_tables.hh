// The tables of iptables-legacy that the calling thread's network namespace has.
//
// Errors: the kernel lists them to root alone. Without support for them there are none.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace srcsel {

// "mangle", "nat"; family is AF_INET or AF_INET6.
absl::StatusOr<std::vector<std::string>> LegacyTables(int family);

}  // namespace srcsel
