#include "agent/host_marks.hh"

#include <algorithm>
#include <iterator>

#include "base/status.hh"
#include "netfilter/read_rules.hh"

namespace srcsel {

absl::StatusOr<HostMarks> HostMarks::Start(std::size_t most) {
  SRCSEL_ASSIGN_OR_RETURN(RuleFollower follower, RuleFollower::Open());
  HostMarks marks(std::move(follower));
  marks.Read(most);
  return marks;
}

std::vector<std::string> HostMarks::Limits() const {
  std::vector<std::string> limits = firewall_.skipped;
  std::ranges::copy(policy_.NotUnderstood(), std::back_inserter(limits));
  std::ranges::copy(policy_.limits, std::back_inserter(limits));
  return limits;
}

void HostMarks::Hear() {
  const absl::StatusOr<bool> changed = follower_.Drain();
  if (changed.ok() && !*changed) return;
  if (!due_) due_ = Clock::now() + took_;
}

void HostMarks::LookAround() {
  if (follower_.PollLegacy() && !due_) due_ = Clock::now();
}

void HostMarks::Read(std::size_t most) {
  const Clock::time_point start = Clock::now();
  due_.reset();
  firewall_ = ReadRules();
  policy_ = CompileMarks(firewall_, most);
  took_ = Clock::now() - start;
}

}  // namespace srcsel
