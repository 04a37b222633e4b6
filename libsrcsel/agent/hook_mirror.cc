#include "agent/hook_mirror.hh"

#include <poll.h>

#include <utility>

#include "agent/resolve.hh"
#include "base/status.hh"
#include "image/compile.hh"

namespace srcsel {
namespace {

// Changes come in bursts: once one is heard, more are waited for until none comes for kQuietMs, but
// not more than kBurst times.
constexpr int kQuietMs = 1;
constexpr int kBurst = 10;

}  // namespace

absl::StatusOr<HookMirror> HookMirror::Start() {
  SRCSEL_ASSIGN_OR_RETURN(Follower follower, Follower::Open());
  SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
  SRCSEL_ASSIGN_OR_RETURN(State state, reader.Read());
  HookMirror mirror(std::move(follower), std::move(reader));
  mirror.Take(std::move(state));
  return mirror;
}

absl::Status HookMirror::Publish(Policy resolved, Publisher publish) {
  std::swap(policy_, resolved);
  absl::Status status = PublishImage(publish);
  if (!status.ok()) std::swap(policy_, resolved);
  return status;
}

absl::Status HookMirror::PublishImage(Publisher publish) {
  SRCSEL_ASSIGN_OR_RETURN(Image image, Compile(state_, policy_, generation_ + 1));
  if (published_ && published_->DecidesAs(image)) return absl::OkStatus();
  SRCSEL_RETURN_IF_ERROR(publish(image.bytes()));
  published_ = std::move(image);
  ++generation_;
  return absl::OkStatus();
}

absl::Status HookMirror::Follow(const Policy &policy, Publisher publish) {
  pollfd polled = {fd(), POLLIN, 0};
  for (int i = 0; i < kBurst; ++i) {
    const absl::StatusOr<bool> changed = Changed();
    stale_ |= !changed.ok() || *changed;
    if (poll(&polled, 1, kQuietMs) == 0) break;
  }
  if (!stale_) return absl::OkStatus();
  absl::Status status = Refresh(policy, publish);
  stale_ = !status.ok();
  return status;
}

absl::Status HookMirror::LookAround() {
  SRCSEL_ASSIGN_OR_RETURN(const bool differs, reader_.Differs(state_));
  unread_.routing |= differs;
  return absl::OkStatus();
}

absl::StatusOr<bool> HookMirror::Changed() {
  SRCSEL_ASSIGN_OR_RETURN(const Changes changes, follower_.Drain(gateways_));
  unread_.routing |= changes.routing;
  unread_.neighbours |= changes.neighbours;
  return unread_.any();
}

absl::Status HookMirror::Refresh(const Policy &policy, Publisher publish) {
  if (unread_.neighbours && !unread_.routing) {
    SRCSEL_ASSIGN_OR_RETURN(state_.neighbours, reader_.ReadNeighbours());
    gateways_ = Gateways(state_);
    ++states_;
  } else {
    SRCSEL_ASSIGN_OR_RETURN(State state, reader_.Read());
    Take(std::move(state));
    SRCSEL_ASSIGN_OR_RETURN(
        Resolution resolution,
        Resolve(policy, state_, owner_ ? Advice::kSteer : Advice::kNone, policy_));
    if (!HasErrors(resolution.findings)) {
      policy_ = std::move(resolution.policy);
      if (owner_ && !HasAll(rules_, resolution.wanted, *owner_))
        SRCSEL_RETURN_IF_ERROR(MakeOwnRules(resolution.wanted, *owner_));
    }
  }
  unread_ = Changes();
  return PublishImage(publish);
}

void HookMirror::Take(State state) {
  state_ = std::move(state);
  ++states_;
  rules_ = state_.rules;
  DropOwnRules(state_.rules);
  whole_ = state_.rules.size() == rules_.size();
  gateways_ = Gateways(state_);
}

}  // namespace srcsel
