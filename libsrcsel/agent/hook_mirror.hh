// One network namespace, mirrored for those who decide, hooks or the preload: read, compiled,
// published, and again whenever the kernel says that something changed.
//
// Contract: what they decide on is always one complete image. If reading or compiling fails, the
// last good image stays in force and the error is returned; call Refresh() again. Belongs to the
// namespace the thread was in at Start(). Not thread-safe. After fork() one of the two processes
// may go on with it, the other must leave it alone.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "agent/own_rules.hh"
#include "agent/steer.hh"
#include "hooks/hooks.hh"
#include "image/image.hh"
#include "netlink/follow.hh"
#include "netlink/read_state.hh"
#include "policy/policy.hh"
#include "state/state.hh"

namespace srcsel {

class HookMirror {
 public:
  // Subscribes, then reads: nothing that changes from here on is missed.
  static absl::StatusOr<HookMirror> Start();

  // As last read, without what own_rules.hh has added.
  const State &state() const { return state_; }
  // Grows with every state read.
  std::uint64_t states() const { return states_; }
  // Whether own_rules.hh has added none that a state is without.
  bool is_whole() const { return whole_; }

  // As it was resolved last.
  const Policy &policy() const { return policy_; }

  // Takes an image to those who decide.
  using Publisher = absl::FunctionRef<absl::Status(std::span<const std::byte>)>;
  static auto To(Hooks &hooks) {
    return [&hooks](std::span<const std::byte> image) { return hooks.Publish(image); };
  }

  // Compiles the state read with the policy, resolved for it, and publishes the result, unless the
  // last one was the like. If that fails, the policy before stays.
  absl::Status Publish(Policy resolved, Publisher publish);
  absl::Status Publish(Policy resolved, Hooks &hooks) {
    return Publish(std::move(resolved), To(hooks));
  }

  // From now on, rules that the policy wants for its sources are added as that owner's, and again
  // whenever they are missing.
  void SteerAs(RuleOwner owner) { owner_ = owner; }
  Advice advice() const { return owner_ ? Advice::kSteer : Advice::kCommands; }

  // The image in force; null before the first.
  const Image *image() const { return published_ ? &*published_ : nullptr; }
  // The number of the last image before the first of this mirror.
  void CountFrom(std::uint64_t generation) { generation_ = generation; }

  // Readable when there is something to follow.
  int fd() const { return follower_.fd(); }
  // Hears what has changed, waits for the burst to end (1 ms of quiet, 10 ms at most), and
  // refreshes if anything has.
  absl::Status Follow(const Policy &policy, Publisher publish);
  absl::Status Follow(const Policy &policy, Hooks &hooks) { return Follow(policy, To(hooks)); }
  // Whether the image may not be what the kernel has: the last Follow() failed. Call it again.
  bool stale() const { return stale_; }
  // Looks for what is not announced (netlink/follow.hh); the next Follow() then refreshes.
  absl::Status LookAround();

  absl::StatusOr<bool> Changed();

  // Reads anew and resolves the policy anew, as one that is followed (resolve.hh); publishes if the
  // image differs from the one in force.
  absl::Status Refresh(const Policy &policy, Publisher publish);
  absl::Status Refresh(const Policy &policy, Hooks &hooks) { return Refresh(policy, To(hooks)); }

 private:
  HookMirror(Follower follower, StateReader reader)
      : follower_(std::move(follower)), reader_(std::move(reader)) {}

  void Take(State state);
  absl::Status PublishImage(Publisher publish);

  Follower follower_;
  StateReader reader_;
  State state_;
  Gateways gateways_;        // of state_
  std::vector<Rule> rules_;  // all, those of own_rules.hh too
  Changes unread_;
  Policy policy_;
  std::optional<Image> published_;
  std::uint64_t generation_ = 0;
  std::optional<RuleOwner> owner_;
  bool stale_ = false;
  std::uint64_t states_ = 0;
  bool whole_ = true;
};

}  // namespace srcsel
