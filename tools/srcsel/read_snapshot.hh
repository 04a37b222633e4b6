// The state of the calling thread's network namespace, read once and ready for lookups.

#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "lookup/snapshot.hh"

namespace srcsel {

absl::StatusOr<std::unique_ptr<const Snapshot>> ReadSnapshotHere();

}  // namespace srcsel
