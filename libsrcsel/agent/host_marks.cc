#include "agent/host_marks.hh"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "agent/fit_marks.hh"
#include "agent/routed_ways.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

constexpr std::chrono::seconds kLookAtSets(1);
constexpr std::chrono::seconds kMostPatience(60);

}  // namespace

absl::StatusOr<HostMarks> HostMarks::Start(const Policy &file, const HookMirror &mirror) {
  SRCSEL_ASSIGN_OR_RETURN(RuleFollower follower, RuleFollower::Open());
  HostMarks marks(std::move(follower));
  marks.Read(file, mirror);
  return marks;
}

std::vector<std::string> HostMarks::Limits() const {
  std::vector<std::string> limits = firewall_.skipped;
  std::ranges::copy(firewall_.unread_sets, std::back_inserter(limits));
  std::ranges::copy(policy_.not_understood, std::back_inserter(limits));
  for (const std::string &rule : policy_.by_tos)
    limits.push_back(absl::StrCat(rule,
                                  ": decides by dscp or tos: sockets that set one of their own, "
                                  "and datagrams of sockets that do not connect"));
  std::ranges::copy(policy_.limits, std::back_inserter(limits));
  return limits;
}

void HostMarks::Note(NfChange change) {
  if (change == NfChange::kNothing) return;
  changed_ = std::max(changed_, change);
  if (!due_) due_ = Clock::now();
}

void HostMarks::Hear() {
  const absl::StatusOr<NfChange> change = follower_.Drain(reader_.elements());
  Note(change.value_or(NfChange::kRules));
}

void HostMarks::NoteRoutes(const HookMirror &mirror) {
  if (routes_ && *routes_ != mirror.states()) Note(NfChange::kElements);
}

void HostMarks::LookAround() {
  if (follower_.PollLegacy()) Note(NfChange::kRules);
  if (Clock::now() < look_at_sets_) return;
  look_at_sets_ = Clock::now() + kLookAtSets;
  if (reader_.failed() && Clock::now() >= read_again_) {
    Note(NfChange::kRules);
    patience_ = std::min(2 * patience_, kMostPatience);
    read_again_ = Clock::now() + patience_;
  }
  if (reader_.PollSets() || !firewall_.unread_sets.empty()) Note(NfChange::kElements);
}

std::optional<HostMarks::Clock::time_point> HostMarks::due() const {
  if (follower_.amid_commit()) return std::nullopt;
  if (!due_ || !expiry_) return due_ ? due_ : expiry_;
  return std::min(*due_, *expiry_);
}

void HostMarks::Update(const Policy &file, const HookMirror &mirror) {
  if (changed_ == NfChange::kRules) return Read(file, mirror);
  Compile(reader_.Renew(), file, mirror);
}

void HostMarks::Read(const Policy &file, const HookMirror &mirror) {
  Compile(reader_.Read(), file, mirror);
}

void HostMarks::Compile(NfRuleSet rules, const Policy &file, const HookMirror &mirror) {
  due_.reset();
  changed_ = NfChange::kNothing;
  if (!reader_.failed()) patience_ = std::chrono::seconds(1);
  firewall_ = std::move(rules);
  RoutedWays ways(mirror.state(), mirror.is_whole());
  policy_ = CompileMarks(firewall_, RoomBehind(file), &ways);
  FitBehind(file, policy_);
  routes_.reset();
  if (ways.asked()) routes_ = mirror.states();
  expiry_ = reader_.elements() == nullptr ? std::nullopt : reader_.elements()->NextExpiry();
}

}  // namespace srcsel
