#include "lookup/snapshot.hh"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "base/status.hh"
#include "image/compile_tables.hh"

namespace srcsel {
namespace {

bool Accepts(const srcsel_rule &rule, std::uint16_t port) {
  return port >= rule.sport_first && port <= rule.sport_last &&
         ((port ^ rule.sport_first) & rule.sport_mask) == 0;
}

// Ranges change at their ends only, masks anywhere.
std::vector<std::uint16_t> PortClassesOf(std::span<const srcsel_rule> rules,
                                         const Settings &settings) {
  std::vector<const srcsel_rule *> selecting;
  for (const srcsel_rule &rule : rules)
    if (rule.inputs & SRCSEL_IN_SPORT) selecting.push_back(&rule);
  std::vector<std::uint16_t> ports;
  if (selecting.empty()) return ports;
  absl::flat_hash_set<std::vector<bool>> seen;
  const bool masked =
      std::ranges::any_of(selecting, [](const srcsel_rule *rule) { return rule->sport_mask != 0; });
  const auto changes_at = [&](std::uint32_t port) {
    return masked || port == settings.port_first ||
           std::ranges::any_of(selecting, [&](const srcsel_rule *rule) {
             return port == rule->sport_first || port == rule->sport_last + 1u;
           });
  };
  for (std::uint32_t port = settings.port_first; port <= settings.port_last; ++port) {
    if (!changes_at(port)) continue;
    std::vector<bool> accepted;
    for (const srcsel_rule *rule : selecting)
      accepted.push_back(Accepts(*rule, static_cast<std::uint16_t>(port)));
    if (seen.insert(std::move(accepted)).second) ports.push_back(static_cast<std::uint16_t>(port));
  }
  return ports;
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Snapshot>> Snapshot::Make(State state,
                                                               std::uint64_t generation) {
  SRCSEL_ASSIGN_OR_RETURN(LookupImage compiled, CompileForLookup(state, Policy(), generation));
  return absl::WrapUnique<const Snapshot>(new Snapshot(std::move(state), std::move(compiled)));
}

Snapshot::Snapshot(State state, LookupImage compiled)
    : state_(std::move(state)), compiled_(std::move(compiled)), memory_(compiled_.image.memory()) {
  may_be_merged_ = MayBeMerged(state_);
  for (const Link &link : state_.links) links_.emplace(link.index, &link);
  for (const InterfaceAddress &address : state_.addresses)
    if (address.local.is_v4()) owners_.emplace(address.local, address.ifindex);
  for (const int v6 : {0, 1}) {
    const auto rules = Rules(v6);
    uses_source_[v6] = std::ranges::any_of(
        rules, [](const srcsel_rule &r) { return (r.from.mask.hi | r.from.mask.lo) != 0; });
    ports_[v6] = PortClassesOf(rules, state_.settings);
  }
}

const Link *Snapshot::FindLink(std::uint32_t index) const {
  const auto found = links_.find(index);
  return found == links_.end() ? nullptr : found->second;
}

std::uint32_t Snapshot::OwnerOf(const IpAddress &address) const {
  const auto found = owners_.find(address);
  return found == owners_.end() ? 0 : found->second;
}

}  // namespace srcsel
