#include "agent/hook_mirror.hh"

#include <utility>

#include "agent/resolve.hh"
#include "base/status.hh"
#include "image/compile.hh"

namespace srcsel {

absl::StatusOr<HookMirror> HookMirror::Start() {
  SRCSEL_ASSIGN_OR_RETURN(Follower follower, Follower::Open());
  SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
  SRCSEL_ASSIGN_OR_RETURN(State state, reader.Read());
  HookMirror mirror(std::move(follower), std::move(reader));
  mirror.Take(std::move(state));
  return mirror;
}

absl::Status HookMirror::Publish(Policy resolved, Hooks &hooks) {
  policy_ = std::move(resolved);
  return PublishImage(hooks);
}

absl::Status HookMirror::PublishImage(Hooks &hooks) {
  const std::uint64_t next = published_ ? published_->header().generation + 1 : 1;
  SRCSEL_ASSIGN_OR_RETURN(Image image, Compile(state_, policy_, next));
  if (published_ && published_->DecidesAs(image)) return absl::OkStatus();
  SRCSEL_RETURN_IF_ERROR(hooks.Publish(image.bytes()));
  published_ = std::move(image);
  return absl::OkStatus();
}

absl::StatusOr<bool> HookMirror::Changed() {
  SRCSEL_ASSIGN_OR_RETURN(const Changes changes, follower_.Drain(gateways_));
  unread_.routing |= changes.routing;
  unread_.neighbours |= changes.neighbours;
  return unread_.any();
}

absl::Status HookMirror::Refresh(const Policy &policy, Hooks &hooks) {
  if (unread_.neighbours && !unread_.routing) {
    SRCSEL_ASSIGN_OR_RETURN(state_.neighbours, reader_.ReadNeighbours());
    gateways_ = Gateways(state_);
  } else {
    SRCSEL_ASSIGN_OR_RETURN(State state, reader_.Read());
    Take(std::move(state));
    SRCSEL_ASSIGN_OR_RETURN(Resolution resolution, Resolve(policy, state_, Advice::kNone));
    if (!HasErrors(resolution.findings)) policy_ = std::move(resolution.policy);
  }
  unread_ = Changes();
  return PublishImage(hooks);
}

void HookMirror::Take(State state) {
  state_ = std::move(state);
  gateways_ = Gateways(state_);
}

}  // namespace srcsel
