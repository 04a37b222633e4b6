#include "netlink/gateways.hh"

#include <linux/neighbour.h>

namespace srcsel {

Gateways::Gateways(const State &state) {
  for (const RouteTerms &terms : state.routes.terms())
    for (const Nexthop &hop : terms.nexthops)
      if (hop.gateway) classes_.try_emplace(Key(hop.oif, *hop.gateway), Class::kNone);
  for (const NexthopObject &object : state.nexthops)
    if (object.gateway) classes_.try_emplace(Key(object.oif, *object.gateway), Class::kNone);
  for (const Neighbour &neighbour : state.neighbours)
    if (const auto gateway = classes_.find(Key(neighbour.ifindex, neighbour.address));
        gateway != classes_.end())
      gateway->second = ClassOf(neighbour);
}

Gateways::Class Gateways::ClassOf(const Neighbour &neighbour) {
  constexpr int kValid = NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
  if (neighbour.state & NUD_REACHABLE) return Class::kReachable;
  if (neighbour.state & kValid) return Class::kValid;
  if (neighbour.state & NUD_INCOMPLETE) return Class::kIncomplete;
  if (neighbour.state & NUD_FAILED) return Class::kFailed;
  return Class::kStateless;
}

bool Gateways::DiffersFrom(const Neighbour &neighbour, Class now) const {
  const auto gateway = classes_.find(Key(neighbour.ifindex, neighbour.address));
  return gateway != classes_.end() && gateway->second != now;
}

bool Gateways::Differs(const Neighbour &now) const {
  return DiffersFrom(now, ClassOf(now));
}

bool Gateways::DiffersWithout(const Neighbour &gone) const {
  return DiffersFrom(gone, Class::kNone);
}

}  // namespace srcsel
