#include "agent/mirror.hh"

#include <utility>

#include "base/status.hh"
#include "image/compile.hh"

namespace srcsel {

absl::StatusOr<Mirror> Mirror::Start() {
  SRCSEL_ASSIGN_OR_RETURN(Follower follower, Follower::Open());
  SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
  SRCSEL_ASSIGN_OR_RETURN(State state, reader.Read());
  return Mirror(std::move(follower), std::move(reader), std::move(state));
}

absl::Status Mirror::Publish(const Policy &policy, Hooks &hooks) {
  const std::uint64_t next = published_ ? published_->header().generation + 1 : 1;
  SRCSEL_ASSIGN_OR_RETURN(Image image, Compile(state_, policy, next));
  if (published_ && published_->DecidesAs(image)) return absl::OkStatus();
  SRCSEL_RETURN_IF_ERROR(hooks.Publish(image.bytes()));
  published_ = std::move(image);
  return absl::OkStatus();
}

absl::StatusOr<bool> Mirror::Changed() {
  SRCSEL_ASSIGN_OR_RETURN(const Changes changes, follower_.Drain(Gateways()));
  return changes.routing;  // images know no neighbours
}

absl::Status Mirror::Refresh(const Policy &policy, Hooks &hooks) {
  SRCSEL_ASSIGN_OR_RETURN(state_, reader_.Read());
  return Publish(policy, hooks);
}

}  // namespace srcsel
