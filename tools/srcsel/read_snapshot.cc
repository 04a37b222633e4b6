#include "read_snapshot.hh"

#include <utility>

#include "base/status.hh"
#include "netlink/read_state.hh"

namespace srcsel {

absl::StatusOr<std::unique_ptr<const Snapshot>> ReadSnapshotHere() {
  SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
  SRCSEL_ASSIGN_OR_RETURN(State state, reader.Read());
  return Snapshot::Make(std::move(state), 1);
}

}  // namespace srcsel
