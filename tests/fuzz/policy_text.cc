// Any text as a policy file: it is read or refused with findings that have a place, and a policy
// without an error holds what policy.hh promises.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "policy/read_policy.hh"

namespace {

using srcsel::PolicyRule;

void Require(bool holds) {
  if (!holds) std::abort();
}

void RequirePromises(const PolicyRule &rule) {
  Require(rule.mark || rule.lookup || !rule.sources.empty() || rule.pool || rule.ports);
  Require(rule.sources.size() <= 2 && (rule.sources.empty() || !rule.pool));
  Require(rule.apply == srcsel::Apply::kMark || rule.mark || rule.lookup);
  for (const srcsel::Prefix &prefix : rule.to) Require(prefix == prefix.Network());
  for (const auto &set : rule.sets) Require(set != nullptr && !set->prefixes.empty());
  for (const std::string &comm : rule.comms) Require(!comm.empty() && comm.size() <= 15);
  for (const srcsel::Range16 &ports : rule.dports)
    Require(0 < ports.first && ports.first <= ports.last);
  if (rule.pool) Require(!rule.pool->members.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const absl::string_view text(reinterpret_cast<const char *>(data), size);
  // A set's file is opened: none that could be waited for.
  if (absl::StrContains(text, "/dev") || absl::StrContains(text, "/proc")) return 0;
  const srcsel::PolicyFile file = srcsel::ReadPolicyText(text, "p");
  for (const srcsel::Finding &finding : file.findings)
    Require(!finding.message.empty() && !finding.place.file.empty());
  if (srcsel::HasErrors(file.findings)) return 0;
  for (const PolicyRule &rule : file.policy.rules) RequirePromises(rule);
  return 0;
}
