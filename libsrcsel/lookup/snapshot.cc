#include "lookup/snapshot.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "base/status.hh"
#include "image/compile_tables.hh"
#include "image/key.hh"

namespace srcsel {
namespace {

bool Accepts(const srcsel_rule &rule, std::uint16_t port) {
  return port >= rule.sport_first && port <= rule.sport_last &&
         ((port ^ rule.sport_first) & rule.sport_mask) == 0;
}

// The ports at which what the rules accept may change. Ranges do so at their ends only, masks
// anywhere.
std::vector<std::uint16_t> PortsOfChange(std::span<const srcsel_rule *const> rules,
                                         const Settings &settings) {
  std::vector<std::uint16_t> ports;
  const auto add = [&](std::uint32_t port) {
    if (port >= settings.port_first && port <= settings.port_last)
      ports.push_back(static_cast<std::uint16_t>(port));
  };
  if (std::ranges::any_of(rules, [](const srcsel_rule *rule) { return rule->sport_mask != 0; })) {
    for (std::uint32_t port = settings.port_first; port <= settings.port_last; ++port) add(port);
    return ports;
  }
  add(settings.port_first);
  for (const srcsel_rule *rule : rules) {
    add(rule->sport_first);
    add(rule->sport_last + 1u);
  }
  std::ranges::sort(ports);
  ports.erase(std::ranges::unique(ports).begin(), ports.end());
  return ports;
}

// The first port of each class that the rules tell apart: they divide all ports in turn.
std::vector<std::uint16_t> PortClassesOf(std::span<const srcsel_rule> rules,
                                         const Settings &settings) {
  std::vector<const srcsel_rule *> selecting;
  for (const srcsel_rule &rule : rules)
    if (rule.inputs & SRCSEL_IN_SPORT) selecting.push_back(&rule);
  if (selecting.empty()) return {};
  const std::vector<std::uint16_t> ports = PortsOfChange(selecting, settings);
  std::vector<std::uint32_t> classes(ports.size(), 0);
  std::uint32_t count = 1;
  for (const srcsel_rule *rule : selecting) {
    std::vector<std::uint32_t> accepted(count, 0);
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (!Accepts(*rule, ports[i])) continue;
      std::uint32_t &part = accepted[classes[i]];
      if (part == 0) part = count++;
      classes[i] = part;
    }
  }
  std::vector<bool> seen(count);
  std::vector<std::uint16_t> firsts;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (!seen[classes[i]]) firsts.push_back(ports[i]);
    seen[classes[i]] = true;
  }
  return firsts;
}

bool LocalEndsSearches(const State &state) {
  return std::ranges::any_of(state.routes.entries(), [&](const Routes::Entry &route) {
    const RouteTerms &terms = state.routes.TermsOf(route);
    return terms.table == RT_TABLE_LOCAL && route.dst.address.is_v4() &&
           (terms.type == RTN_THROW || terms.nexthop_id != 0);
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Snapshot>> Snapshot::Make(State state,
                                                               std::uint64_t generation) {
  SRCSEL_ASSIGN_OR_RETURN(LookupImage compiled, CompileForLookup(state, Policy(), generation));
  return absl::WrapUnique<const Snapshot>(new Snapshot(std::move(state), std::move(compiled)));
}

Snapshot::Snapshot(State state, LookupImage compiled)
    : state_(std::move(state)),
      compiled_(std::move(compiled)),
      shortcuts_(compiled_.image),
      memory_(shortcuts_.Into(compiled_.image)) {
  may_be_merged_ = MayBeMerged(state_);
  local_may_end_main_ = may_be_merged_ && LocalEndsSearches(state_);
  for (const Link &link : state_.links) links_.emplace(link.index, &link);
  for (const InterfaceAddress &address : state_.addresses)
    if (address.local.is_v4()) owners_.emplace(KeyOf(address.local).hi, address.ifindex);
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
  const auto found = owners_.find(KeyOf(address).hi);
  return found == owners_.end() ? 0 : found->second;
}

}  // namespace srcsel
