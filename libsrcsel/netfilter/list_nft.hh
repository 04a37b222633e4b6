// What nft lists in JSON, of the calling thread's network namespace.
//
// Errors: no permission, or what libnftables says. Cost: 30 us, and with elements 1 us for each.

#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace srcsel {

// A command of nft's, as "list ruleset". Without `elements`, those of named sets are left out.
absl::StatusOr<std::string> ListNft(const std::string &command, bool elements);

}  // namespace srcsel
