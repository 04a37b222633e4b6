// The tables of iptables-legacy that the calling thread's network namespace has.
//
// Errors: the kernel lists them to root alone. Without support for them there are none.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace srcsel {

// "mangle", "nat"; family is AF_INET or AF_INET6.
absl::StatusOr<std::vector<std::string>> LegacyTables(int family);

// Another number where the tables or their rules are others; what they have counted is not looked
// at. Cost: 10 us a table and 50 ns a rule; no program is run.
absl::StatusOr<std::size_t> LegacyDigest(int family);

// Whether the kernel, as it runs now, has a place for such tables.
bool HasLegacyTables();

}  // namespace srcsel
