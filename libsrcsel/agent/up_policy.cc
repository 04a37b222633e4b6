#include "agent/up_policy.hh"

#include <algorithm>
#include <iterator>
#include <utility>

#include "agent/resolve.hh"
#include "base/status.hh"
#include "policy/read_policy.hh"

namespace srcsel {

absl::StatusOr<Examined> Examine(const UpPolicy &policy, const State &state, Advice advice) {
  if (policy.file.empty()) return Examined{};
  PolicyFile file = ReadPolicy(policy.file);
  Examined examined{std::move(file.policy), {}, std::move(file.findings), {}};
  // What the host has to say is of use only where the file is right.
  if (HasErrors(examined.findings)) return examined;
  SRCSEL_ASSIGN_OR_RETURN(Resolution resolution, Resolve(examined.written, state, advice));
  examined.wanted = std::move(resolution.wanted);
  examined.resolved = std::move(resolution.policy);
  std::ranges::move(resolution.findings, std::back_inserter(examined.findings));
  std::ranges::stable_sort(examined.findings, {},
                           [](const Finding &finding) { return finding.place.line; });
  return examined;
}

absl::Status AddMarks(const MarkPolicy &marks, const State &state, Examined &examined) {
  SRCSEL_ASSIGN_OR_RETURN(Resolution resolution, Resolve({marks.rules}, state, Advice::kNone));
  std::ranges::copy(marks.rules, std::back_inserter(examined.written.rules));
  std::ranges::move(resolution.policy.rules, std::back_inserter(examined.resolved.rules));
  return absl::OkStatus();
}

}  // namespace srcsel
