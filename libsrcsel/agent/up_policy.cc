#include "agent/up_policy.hh"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "agent/mark_findings.hh"
#include "agent/resolve.hh"
#include "base/status.hh"
#include "policy/read_policy.hh"

namespace srcsel {

namespace {

bool IsOfRule(const Finding &finding) {
  return finding.key == "rule" || absl::StartsWith(finding.key, "rule.");
}

// The rules that have no mistake: what the host has to say of the others would be of what nobody
// wrote. A mistake elsewhere may be in a set or a pool, and so in any rule that uses one.
Policy WithoutMistakes(const Policy &policy, const Findings &findings) {
  const bool elsewhere = std::ranges::any_of(findings, [](const Finding &finding) {
    return finding.severity == Severity::kError && !IsOfRule(finding);
  });
  Policy right;
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    const PolicyRule &rule = policy.rules[i];
    const Place begin = Place::Parse(rule.name);
    const Place next =
        i + 1 < policy.rules.size() ? Place::Parse(policy.rules[i + 1].name) : Place();
    const std::uint32_t end = next.file == begin.file ? next.line : ~0U;
    const bool is_wrong = std::ranges::any_of(findings, [&](const Finding &finding) {
      return finding.severity == Severity::kError && IsOfRule(finding) &&
             finding.place.file == begin.file && finding.place.line >= begin.line &&
             finding.place.line < end;
    });
    if (!is_wrong && !(elsewhere && (rule.pool != nullptr || !rule.sets.empty())))
      right.rules.push_back(rule);
  }
  return right;
}

void SayOnce(Findings &findings) {
  std::set<std::string> said;
  std::erase_if(findings,
                [&](const Finding &finding) { return !said.insert(finding.ToString()).second; });
}

}  // namespace

absl::StatusOr<Examined> Examine(const UpPolicy &policy, const State &state, Advice advice) {
  if (policy.file.empty()) return Examined{};
  const PolicyFile file = ReadPolicy(policy.file);
  Examined examined{file.policy, {}, file.findings, {}};
  const bool is_right = !HasErrors(file.findings);
  SRCSEL_ASSIGN_OR_RETURN(
      Resolution resolution,
      Resolve(is_right ? file.policy : WithoutMistakes(file.policy, file.findings), state, advice));
  examined.wanted = std::move(resolution.wanted);
  examined.resolved = std::move(resolution.policy);
  ReportDeadMarks(examined.resolved, state, resolution.findings);
  file.PlaceAtKeys(resolution.findings);
  if (!is_right)
    std::erase_if(resolution.findings,
                  [](const Finding &finding) { return finding.severity == Severity::kNote; });
  std::ranges::move(resolution.findings, std::back_inserter(examined.findings));
  SortByPlace(examined.findings, file.files);
  SayOnce(examined.findings);
  return examined;
}

absl::Status AddMarks(const MarkPolicy &marks, const State &state, Examined &examined) {
  SRCSEL_ASSIGN_OR_RETURN(Resolution resolution, Resolve({marks.rules}, state, Advice::kNone));
  std::ranges::copy(marks.rules, std::back_inserter(examined.written.rules));
  std::ranges::move(resolution.policy.rules, std::back_inserter(examined.resolved.rules));
  return absl::OkStatus();
}

}  // namespace srcsel
