// What an `up` changes of one that nobody keeps any more, when it takes that over by other words.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/up.hh"

namespace srcsel {

// A sentence for each: "the policy /etc/a.toml is dropped: ...". None if nothing is to be taken
// over. In the network namespace that is to be mirrored.
//
// kFailedPrecondition: it would leave ip rules behind that nobody would ever remove, or hooks,
// where their pins are not seen here.
absl::StatusOr<std::vector<std::string>> ChangesOfTakingOver(const UpRequest &request);

}  // namespace srcsel
