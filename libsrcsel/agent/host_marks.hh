// The marks that a host's own firewall gives to what the host sends, as rules of a policy, and
// again whenever the firewall changes.
//
// Contract: belongs to the network namespace that the thread was in at Start(), and is used in it.
// What cannot be read or understood is among the limits and the rules that leave flows to the
// kernel, never guessed. Not thread-safe. Cost: that of reading and compiling the rule set; where
// only elements of sets have changed, that of compiling.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/hook_mirror.hh"
#include "netfilter/compile_marks.hh"
#include "netfilter/follow_rules.hh"
#include "netfilter/read_rules.hh"
#include "netfilter/rule_set.hh"
#include "policy/policy.hh"

namespace srcsel {

class HostMarks {
 public:
  using Clock = std::chrono::steady_clock;

  // Subscribes, then reads: nothing that changes from here on is missed. As many rules as fit into
  // an image behind those of the file.
  static absl::StatusOr<HostMarks> Start(const Policy &file, const HookMirror &mirror);

  const NfRuleSet &firewall() const { return firewall_; }
  const MarkPolicy &policy() const { return policy_; }

  // All that is not known: what was not read, not understood, or had no room. A line each.
  std::vector<std::string> Limits() const;

  // Readable when something may have changed: then Hear(), and Update() when it is due().
  int fd() const { return follower_.fd(); }
  void Hear();
  // Looks for what is not announced, and how often that is to be done.
  void LookAround();
  std::chrono::milliseconds look_interval() const { return follower_.look_interval(); }
  // When something has changed, or will have: elements of sets expire.
  std::optional<Clock::time_point> due() const;
  void Update(const Policy &file, const HookMirror &mirror);
  // All anew.
  void Read(const Policy &file, const HookMirror &mirror);
  // Where rules look at the way that a flow has first, a change of routes is one of theirs too.
  void NoteRoutes(const HookMirror &mirror);

 private:
  explicit HostMarks(RuleFollower follower) : follower_(std::move(follower)) {}
  void Note(NfChange change);
  void Compile(NfRuleSet rules, const Policy &file, const HookMirror &mirror);

  RuleFollower follower_;
  RuleReader reader_;
  NfRuleSet firewall_;
  MarkPolicy policy_;
  NfChange changed_ = NfChange::kNothing;
  std::optional<std::uint64_t> routes_;  // the state of routes that the policy hangs on
  std::optional<Clock::time_point> due_, expiry_;
  Clock::time_point look_at_sets_{}, read_again_{};
  std::chrono::seconds patience_{1};  // with what cannot be read
};

}  // namespace srcsel
