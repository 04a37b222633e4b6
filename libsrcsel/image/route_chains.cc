#include "image/route_chains.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace srcsel {
namespace {

bool Selects(const srcsel_route &route) {
  return route.dscp != 0 || route.from != SRCSEL_NONE ||
         route.flags & (SRCSEL_ROUTE_MERGED | SRCSEL_ROUTE_STRICT);
}

}  // namespace

std::uint32_t RouteChains::Add(std::span<const srcsel_route> routes, std::uint32_t rest) {
  if (routes.empty()) return rest;
  const srcsel_route &first = routes.front();
  return Link(first, Selects(first) ? Add(routes.subspan(1), rest) : 0);
}

std::uint32_t RouteChains::Join(std::uint32_t chain, std::uint32_t rest) {
  if (chain == 0) return rest;
  const srcsel_route first = routes_[chain];
  return Selects(first) ? Link(first, Join(first.next, rest)) : chain;
}

std::uint32_t RouteChains::JoinWithin(std::uint32_t gate, std::uint32_t chain, std::uint32_t rest) {
  if (chain == 0) return rest;
  srcsel_route route = routes_[chain];
  if (Selects(route)) rest = JoinWithin(gate, route.next, rest);
  const std::optional<std::uint32_t> from = Narrower(route.from, gate);
  if (!from) return rest;
  route.from = *from;
  return Link(route, rest);
}

std::optional<std::uint32_t> RouteChains::Narrower(std::uint32_t a, std::uint32_t b) const {
  if (a == SRCSEL_NONE) return b;
  if (b == SRCSEL_NONE) return a;
  const auto within = [&](const srcsel_match &inner, const srcsel_match &outer) {
    return (inner.mask.hi & outer.mask.hi) == outer.mask.hi &&
           (inner.mask.lo & outer.mask.lo) == outer.mask.lo &&
           (inner.value.hi & outer.mask.hi) == outer.value.hi &&
           (inner.value.lo & outer.mask.lo) == outer.value.lo;
  };
  if (within(froms_[a], froms_[b])) return a;
  if (within(froms_[b], froms_[a])) return b;
  return std::nullopt;
}

std::uint32_t RouteChains::Link(srcsel_route route, std::uint32_t next) {
  route.next = next;
  route.flags &= static_cast<__u16>(~(SRCSEL_ROUTE_SAME | SRCSEL_ROUTE_UNBOUND));
  if (LeadsToTheSame(route)) route.flags |= SRCSEL_ROUTE_SAME;
  if (route.from != SRCSEL_NONE && (froms_[route.from].value.hi | froms_[route.from].value.lo) == 0)
    route.flags |= SRCSEL_ROUTE_UNBOUND;
  const auto [place, added] = index_.try_emplace(std::bit_cast<decltype(index_)::key_type>(route),
                                                 static_cast<std::uint32_t>(routes_.size()));
  if (added) routes_.push_back(route);
  return place->second;
}

bool RouteChains::LeadsToTheSame(const srcsel_route &route) const {
  if (route.next == 0 || route.from != SRCSEL_NONE) return false;
  const srcsel_route &next = routes_[route.next];
  return next.type == route.type && next.plen == route.plen && next.group == route.group &&
         (route.flags & next.flags & SRCSEL_ROUTE_SOURCE) &&
         !((route.flags | next.flags) & SRCSEL_ROUTE_AMBIGUOUS) &&
         (!Selects(next) || next.flags & SRCSEL_ROUTE_SAME) &&
         std::memcmp(next.source, route.source, sizeof(route.source)) == 0;
}

std::uint32_t RouteChains::AddFrom(const srcsel_match &from) {
  const auto found = std::ranges::find_if(
      froms_, [&](const srcsel_match &f) { return std::memcmp(&f, &from, sizeof(f)) == 0; });
  if (found != froms_.end()) return static_cast<std::uint32_t>(found - froms_.begin());
  froms_.push_back(from);
  return static_cast<std::uint32_t>(froms_.size() - 1);
}

}  // namespace srcsel
