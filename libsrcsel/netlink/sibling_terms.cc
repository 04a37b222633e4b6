#include "netlink/sibling_terms.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/status.hh"

namespace srcsel {
namespace {

constexpr std::size_t kMostRules = 8;                  // that lead to a table
constexpr std::uint8_t kFills[] = {0x2a, 0x00, 0x5a};  // of what is behind a prefix

// Whether any flow may come to the table. Main is looked up even where its rule is gone, as long as
// a namespace has had no other.
bool IsLookedUp(const State &state, std::uint32_t table) {
  return table == RT_TABLE_MAIN || table == RT_TABLE_LOCAL ||
         std::ranges::any_of(state.rules, [&](const Rule &rule) {
           return rule.family == AF_INET6 && rule.table == table;
         });
}

IpAddress Filled(const Prefix &prefix, std::uint8_t with, std::uint8_t last) {
  IpAddress::Bytes bytes = prefix.address.bytes();
  for (int bit = prefix.length; bit < prefix.address.bits(); ++bit) {
    const auto at = static_cast<std::size_t>(bit) / 8;
    const std::uint8_t fill = at == bytes.size() - 1 ? last : with;
    bytes[at] |= static_cast<std::uint8_t>(fill & 0x80 >> bit % 8);
  }
  return IpAddress::FromBytes(AF_INET6, bytes.data());
}

// A flow that the rule's selectors hold for, as far as one can be asked about.
Flow FlowOf(const Rule &rule, const State &state) {
  Flow flow;
  if (const auto link = std::ranges::find(state.links, rule.oif, &Link::name);
      link != state.links.end())
    flow.oif = link->index;
  flow.mark = rule.mark;
  flow.proto = rule.proto;
  flow.tos = rule.dscp ? static_cast<std::uint8_t>(*rule.dscp << 2) : rule.tos;
  if (rule.from.length > 0) flow.source = rule.from.address;
  if (rule.uids) flow.uid = rule.uids->first;
  if (rule.sports) flow.sport = rule.sports->first;
  if (rule.dports) flow.dport = rule.dports->first;
  if (rule.flow_label) flow.label = *rule.flow_label;
  return flow;
}

class Learner {
 public:
  Learner(RouteAsker &asker, const State &state, const Routes::Entry &entry)
      : asker_(asker),
        state_(state),
        dst_(entry.dst),
        terms_(state.routes.TermsOf(entry)),
        own_(terms_.nexthops.size(), OwnTerms{.prefsrc = {}, .hidden = true}),
        missing_(own_.size()) {}

  absl::StatusOr<std::vector<OwnTerms>> Run() {
    Flow plain;
    plain.proto = IPPROTO_UDP;
    std::vector<Flow> flows = {plain};
    for (const Rule &rule : state_.rules)
      if (rule.family == AF_INET6 && rule.table == terms_.table && flows.size() <= kMostRules)
        flows.push_back(FlowOf(rule, state_));
    for (Flow &flow : flows) {
      if (terms_.src.length > 0) flow.source = Filled(terms_.src, 0, 1);
      for (const std::uint8_t fill : kFills) {
        flow.destination = Filled(dst_, fill, 1);
        SRCSEL_ASSIGN_OR_RETURN(const bool comes, Ask(flow));
        if (!comes) continue;
        SRCSEL_RETURN_IF_ERROR(Vary(flow, fill));
        return std::move(own_);
      }
    }
    return std::move(own_);
  }

 private:
  // By whatever may be hashed, and by the device of one that is missing.
  absl::Status Vary(const Flow &flow, std::uint8_t fill) {
    const std::size_t most = 16 * own_.size();
    for (std::size_t i = 1; i <= most && missing_ > 0; ++i) {
      Flow other = flow;
      other.destination = Filled(dst_, fill, static_cast<std::uint8_t>(i));
      if (flow.sport == 0) other.sport = static_cast<std::uint16_t>(1024 + i);
      if (flow.label == 0 && i % 2 == 0) other.label = static_cast<std::uint32_t>(i);
      if (i % 4 != 0 && flow.oif == 0 && flow.source.IsUnspecified())
        other.oif = terms_.nexthops[Missing()].oif;
      SRCSEL_RETURN_IF_ERROR(Ask(other).status());
    }
    return absl::OkStatus();
  }

  std::size_t Missing() const {
    return static_cast<std::size_t>(std::ranges::find(own_, true, &OwnTerms::hidden) -
                                    own_.begin());
  }

  // Whether the flow comes to the route.
  absl::StatusOr<bool> Ask(const Flow &flow) {
    SRCSEL_ASSIGN_OR_RETURN(const std::optional<Route> route, asker_.AskRoute(flow));
    if (!route || route->table != terms_.table || route->dst != dst_ || route->src != terms_.src ||
        route->metric != terms_.metric || route->nexthops.size() != own_.size())
      return false;
    for (std::size_t i = 0; i < own_.size(); ++i) {
      const Nexthop &hop = terms_.nexthops[i], &taken = route->nexthops.front();
      if (hop.oif != taken.oif || hop.gateway != taken.gateway) continue;
      missing_ -= own_[i].hidden;
      own_[i] = {route->prefsrc, route->mtu};
    }
    return true;
  }

  RouteAsker &asker_;
  const State &state_;
  const Prefix dst_;
  const RouteTerms &terms_;
  std::vector<OwnTerms> own_;
  std::size_t missing_;
};

}  // namespace

bool SharesFlows(const Routes::Entry &entry, const RouteTerms &terms) {
  return !entry.dst.address.is_v4() && terms.nexthop_id == 0 && terms.nexthops.size() > 1;
}

absl::Status LearnSiblingTerms(RouteAsker &asker, State &state) {
  std::size_t asked = 0;
  for (std::size_t i = 0; i < state.routes.size(); ++i) {
    const Routes::Entry &entry = state.routes.entries()[i];
    const RouteTerms &listed = state.routes.TermsOf(entry);
    if (!SharesFlows(entry, listed) || !IsLookedUp(state, listed.table)) continue;
    std::vector<OwnTerms> own(listed.nexthops.size(), OwnTerms{.prefsrc = {}, .hidden = true});
    if (++asked <= kMostSharedRoutes) {
      SRCSEL_ASSIGN_OR_RETURN(own, Learner(asker, state, entry).Run());
    }
    const OwnTerms shown = {listed.prefsrc, listed.mtu};
    if (std::ranges::all_of(own, [&](const OwnTerms &o) { return o == shown; })) continue;
    RouteTerms terms = listed;
    terms.own = std::move(own);
    state.routes.SetTerms(i, state.routes.Keep(terms));
  }
  return absl::OkStatus();
}

}  // namespace srcsel
