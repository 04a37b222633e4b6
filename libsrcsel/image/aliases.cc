#include "image/aliases.hh"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <tuple>

#include "image/default_routes.hh"
#include "image/key.hh"

namespace srcsel {

struct AliasMaker::Candidate {
  int family;
  std::uint8_t plen;
  std::uint32_t number;  // of the terms
  const RouteTerms *terms;
  const Paths *paths;
  const Path *first = nullptr;  // that the flow may leave by; null for what forbids in IPv4
  std::uint32_t from = SRCSEL_NONE, rank = 0;
  bool failed = false;
  bool behind = false;  // IPv6: not of the lowest metric; find_rr_leaf() takes all those together
  bool strict = false;  // IPv6: not for flows that only prefer the device

  bool Forbids() const { return terms->type >= RTN_BLACKHOLE || paths->forbids; }

  bool Choose(std::uint32_t oif) {
    const auto path = std::ranges::find_if(
        paths->all, [&](const Path &p) { return p.usable && (oif == 0 || p.oif == oif); });
    if (path != paths->all.end()) first = &*path;
    return first;
  }
};

namespace {

constexpr std::uint8_t kTosBits = 0x1c;  // IPTOS_RT_MASK; a route of another tos holds for no flow

// RTA_PREF 1 high, 0 medium, 3 low (ICMPV6_ROUTER_PREF_*), as rt6_score_route() weighs them.
int Preference(std::uint8_t pref) {
  return (pref ^ 2) & 3;
}

// Whether a packet's source depends on which of the two is taken.
bool Differ(const Path &a, const Path &b) {
  return a.source || b.source ? a.source != b.source : a.oif != b.oif;
}

bool Works(const Path &path) {
  return path.usable && !(path.gateway && path.neighbour == NUD_FAILED);
}

// Of what leaves by `oif`, or of all if 0.
bool HasFailed(const Paths &paths, std::uint32_t oif) {
  return std::ranges::none_of(
      paths.all, [&](const Path &path) { return Works(path) && (oif == 0 || path.oif == oif); });
}

// The device by which the kernel knows a group: __find_rr_leaf() looks at its members only until
// one is better than the routes before it.
std::uint32_t FirstDevice(const Paths &group) {
  const auto works = std::ranges::find_if(group.all, Works);
  return works != group.all.end() ? works->oif : group.First()->oif;
}

}  // namespace

Aliases AliasMaker::Make(int family, std::span<const PrefixRow> rows, std::uint32_t oif) {
  Aliases aliases;
  const std::vector<Candidate> candidates =
      family == AF_INET ? Candidates4(rows, oif, aliases.ends_leaf) : Candidates6(rows, oif);
  for (const Candidate &candidate : candidates) {
    if (family == AF_INET && rows[0].length == 0 && oif == 0 && !candidate.Forbids())
      AddRotation(rows, candidate, aliases.all);
    aliases.all.push_back(RouteOf(candidate, oif));
    aliases.some_failed |= candidate.failed;
    if (!candidate.failed) aliases.reachable.push_back(aliases.all.back());
  }
  if (family == AF_INET6)
    if (const std::vector<Prefix> gates = GatesOf(rows); !gates.empty()) AddGated(gates, aliases);
  return aliases;
}

std::vector<AliasMaker::Candidate> AliasMaker::Candidates4(std::span<const PrefixRow> rows,
                                                           std::uint32_t oif,
                                                           bool &ends_leaf) const {
  std::vector<Candidate> candidates;
  for (const PrefixRow &row : rows) {
    const RouteTerms &terms = state_.routes.terms()[row.terms];
    if (terms.tos & ~kTosBits) continue;
    Candidate candidate{AF_INET, row.length, row.terms, &terms, &paths_[row.terms]};
    if (candidate.Forbids() || candidate.Choose(oif)) {
      candidates.push_back(candidate);
    } else if (terms.nexthop_id != 0 && terms.tos == 0) {
      ends_leaf = true;
      break;
    }
  }
  return candidates;
}

std::vector<AliasMaker::Candidate> AliasMaker::Candidates6(std::span<const PrefixRow> rows,
                                                           std::uint32_t oif) {
  std::vector<Candidate> candidates;
  std::vector<std::uint32_t> met;  // ranks of the routes so far, whatever their device
  for (const PrefixRow &row : rows) {
    const RouteTerms &terms = state_.routes.terms()[row.terms];
    if (terms.expires && *terms.expires <= 0) continue;
    Candidate candidate{AF_INET6, row.length, row.terms, &terms, &paths_[row.terms]};
    const Paths &paths = *candidate.paths;
    if (!paths.First() && !paths.forbids) continue;
    if (terms.src.length > 0) candidate.from = chains_.AddFrom(MatchOf(terms.src));
    candidate.behind = terms.metric != LowestMetric(rows, terms.src);
    const auto rank = [&](std::uint32_t device) {
      candidate.failed =
          !state_.settings.forwarding6_all && !candidate.Forbids() && HasFailed(paths, device);
      const std::uint64_t key = std::uint64_t{candidate.behind} << 36 |
                                std::uint64_t{candidate.from} << 4 | Preference(terms.pref) << 1 |
                                candidate.failed;
      return ranks_.try_emplace(key, ranks_.size()).first->second;
    };
    if (paths.choice >= Choice::kGroup && oif != 0 && !paths.forbids)
      candidate.strict = FirstDevice(paths) != oif && std::ranges::find(met, rank(0)) == met.end();
    met.push_back(rank(0));
    candidate.rank = rank(oif);
    // A blackhole object forbids whatever the device.
    if (candidate.Choose(oif) || paths.forbids) candidates.push_back(candidate);
  }
  std::ranges::stable_sort(candidates, {}, [](const Candidate &c) {
    // A blackhole object ends the search as soon as it is met, whatever was better.
    const int weight = c.paths->forbids ? 4 : Preference(c.terms->pref);
    return std::tuple(-c.terms->src.length, c.behind, -weight);
  });
  return candidates;
}

// Usable or not.
std::uint32_t AliasMaker::LowestMetric(std::span<const PrefixRow> rows, const Prefix &src) const {
  std::uint32_t lowest = 0xffffffff;
  for (const PrefixRow &row : rows)
    if (const RouteTerms &terms = state_.routes.terms()[row.terms]; terms.src == src)
      lowest = std::min(lowest, terms.metric);
  return lowest;
}

// The widest of the sources that some of the routes are for; empty if none is.
std::vector<Prefix> AliasMaker::GatesOf(std::span<const PrefixRow> rows) const {
  std::vector<Prefix> sources, widest;
  for (const PrefixRow &row : rows)
    if (const Prefix &src = state_.routes.terms()[row.terms].src; src.length > 0 && row.length > 0)
      sources.push_back(src);
  std::ranges::sort(sources, {}, &Prefix::length);
  for (const Prefix &source : sources)
    if (std::ranges::none_of(widest, [&](const Prefix &w) { return w.Contains(source.address); }))
      widest.push_back(source);
  return widest;
}

void AliasMaker::AddGated(std::span<const Prefix> gates, Aliases &aliases) {
  for (const Prefix &gate : gates) aliases.gates.push_back(chains_.AddFrom(MatchOf(gate)));
  const auto gated = [&](std::span<const srcsel_route> routes) {
    std::vector<srcsel_route> out;
    for (srcsel_route route : routes) {
      if (route.from != SRCSEL_NONE) out.push_back(route);
      if (route.from != SRCSEL_NONE) continue;
      for (const std::uint32_t gate : aliases.gates) {
        route.from = gate;
        out.push_back(route);
      }
    }
    return out;
  };
  aliases.gated_all = gated(aliases.all);
  aliases.gated_reachable = gated(aliases.reachable);
}

// A flow of a tos that only routes which cannot be used are for finds a route of no tos, which then
// is not the first to take its turn.
void AliasMaker::AddRotation(std::span<const PrefixRow> rows, const Candidate &found,
                             std::vector<srcsel_route> &out) {
  if (found.paths->choice != Choice::kSingle || !found.first->gateway) return;
  const Path &path = found.paths->all[0];
  if (!path.neighbour || *path.neighbour == NUD_REACHABLE) return;

  std::vector<DefaultRoute> routes;
  for (const PrefixRow &row : rows)
    routes.push_back(DefaultOf(state_.routes.terms()[row.terms], paths_[row.terms]));
  const auto at = std::ranges::find(rows, found.number, &PrefixRow::terms) - rows.begin();
  const auto members = [&](std::uint8_t tos) {
    return CompetingDefaults(routes, static_cast<std::size_t>(at), tos);
  };
  const std::vector<std::size_t> competing = members(found.terms->tos);
  if (competing.size() < 2) return;

  srcsel_route rotation = RouteOf(found, 0);
  for (const DefaultRoute &other : routes) {
    const __u8 dscp = other.tos >> 2;
    if (found.terms->tos != 0 || dscp == 0 || !members(other.tos).empty()) continue;
    if (!out.empty() && out.back().dscp == dscp) continue;
    out.push_back(rotation);
    out.back().dscp = dscp;
  }
  std::vector<std::uint32_t> numbers;
  for (const std::size_t i : competing) {
    numbers.push_back(rows[i].terms);
    if (Differ(paths_[rows[i].terms].all[0], path)) rotation.flags |= SRCSEL_ROUTE_AMBIGUOUS;
  }
  rotation.flags |= SRCSEL_ROUTE_SEVERAL | SRCSEL_ROUTE_ROTATES;
  rotation.detail = static_cast<__u32>(rotations_.size());
  rotations_.push_back(std::move(numbers));
  out.push_back(rotation);
}

srcsel_route AliasMaker::RouteOf(const Candidate &candidate, std::uint32_t oif) const {
  const Paths &paths = *candidate.paths;
  const bool v6 = candidate.family == AF_INET6;
  srcsel_route route{};
  route.type = paths.forbids ? __u8{RTN_BLACKHOLE} : candidate.terms->type;
  route.plen = candidate.plen;
  route.detail = candidate.number;
  route.from = candidate.from;
  route.rank = candidate.rank;
  if (!v6) route.dscp = candidate.terms->tos >> 2;
  if (candidate.strict) route.flags |= SRCSEL_ROUTE_STRICT;
  if (candidate.terms->not_all_shown) route.flags |= SRCSEL_ROUTE_AMBIGUOUS | SRCSEL_ROUTE_GROUPS;
  if (!candidate.first) return route;
  const Path &first = *candidate.first;
  route.oif = first.oif;
  // Linux suppresses by the group of the first nexthop in IPv4, usable or not.
  route.group = v6 ? first.group : paths.all[0].group;
  if (first.gateway && first.gateway->family() == candidate.family)
    CopyWire(*first.gateway, route.gateway);
  if (!first.other_sources.empty() || !first.shared_sources.empty())
    route.flags |= SRCSEL_ROUTE_AMBIGUOUS;
  const auto shares = [](const Path &path) { return path.shared_length; };
  if (std::ranges::any_of(paths.all, shares)) route.flags |= SRCSEL_ROUTE_LENGTHS;
  if (first.source) {
    CopyWire(*first.source, route.source);
    route.flags |= SRCSEL_ROUTE_SOURCE;
  }
  // In IPv6 a device does not keep the hash from any sibling, or member of a group.
  if ((oif != 0 && !v6) || candidate.Forbids()) return route;
  for (const Path &path : paths.all) {
    if (!path.usable || &path == &first) continue;
    route.flags |= SRCSEL_ROUTE_SEVERAL;
    if (path.id == 0 && !path.shared_sources.empty()) route.flags |= SRCSEL_ROUTE_AMBIGUOUS;
    // In IPv6 a group's source is chosen for its first member, whichever is taken.
    if (Differ(path, first) && !(v6 && paths.choice != Choice::kMultipath))
      route.flags |= SRCSEL_ROUTE_AMBIGUOUS;
    // Linux 6.18 suppresses by the nexthop it hashed to in IPv6.
    if (path.group != first.group && v6) route.flags |= SRCSEL_ROUTE_GROUPS;
  }
  return route;
}

}  // namespace srcsel
