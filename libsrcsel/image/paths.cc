#include "image/paths.hh"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <utility>

#include "image/source4.hh"

namespace srcsel {
namespace {

template <typename Map>
typename Map::mapped_type Get(const Map &map, std::uint32_t key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second;
}

void Note(std::vector<std::uint8_t> &scopes, std::uint8_t scope) {
  if (std::ranges::find(scopes, scope) == scopes.end()) scopes.push_back(scope);
}

}  // namespace

const Path *Paths::First() const {
  const auto found = std::ranges::find_if(all, &Path::usable);
  return found == all.end() ? nullptr : &*found;
}

PathFinder::PathFinder(const State &state) : state_(state), shared_(state) {
  for (const Link &link : state.links) links_[link.index] = &link;
  for (const Neighbour &n : state.neighbours) neighbours_[{n.ifindex, n.address}] = n.state;
  for (const NexthopObject &object : state.nexthops) {
    objects_[object.id] = &object;
    if (object.family == AF_INET || object.gateway)
      Note(scopes_[object.id], static_cast<std::uint8_t>(object.scope - 1));
  }
  for (const RouteTerms &terms : state.routes.terms()) {
    const NexthopObject *object = Get(objects_, terms.nexthop_id);
    if (!object) continue;
    Note(scopes_[object->id], terms.scope);
    for (const NexthopMember &member : object->group) Note(scopes_[member.id], terms.scope);
  }
}

Paths PathFinder::Of(const RouteTerms &terms, int family) const {
  Paths paths = Hops(terms, family);
  paths.object = terms.nexthop_id != 0;
  paths.for_source = terms.src.length > 0;
  return paths;
}

Paths PathFinder::Hops(const RouteTerms &terms, int family) const {
  Paths paths;
  if (const NexthopObject *object = Get(objects_, terms.nexthop_id)) {
    if (!object->group.empty()) return Group(terms, family, *object);
    paths.forbids = object->blackhole;
    if (!object->blackhole) paths.all.push_back(Object(terms, family, *object));
    return paths;
  }
  if (terms.type >= RTN_BLACKHOLE && family == AF_INET) return paths;
  for (const Nexthop &nexthop : terms.nexthops) paths.all.push_back(Own(terms, family, nexthop));
  if (paths.all.size() > 1) paths.choice = Choice::kMultipath;
  return paths;
}

Path PathFinder::Own(const RouteTerms &terms, int family, const Nexthop &nexthop) const {
  Path path;
  path.oif = nexthop.oif;
  path.gateway = nexthop.gateway;
  path.weight = nexthop.weight;
  FindLink(family, path);
  path.usable = !(nexthop.flags & RTNH_F_DEAD);
  path.mtu = terms.mtu;
  if (family == AF_INET && terms.nexthops.size() > 1)
    path.kept_sources = KeptSources4(state_, nexthop, terms.scope, terms.prefsrc);
  if (terms.own.empty())
    FindSource(terms, family, nullptr, path);
  else
    Sibling(terms, terms.own[static_cast<std::size_t>(&nexthop - &terms.nexthops[0])], path);
  return path;
}

// If it is hidden, any address of this host's may be.
void PathFinder::Sibling(const RouteTerms &terms, const OwnTerms &own_terms, Path &path) const {
  path.source = own_terms.prefsrc;
  if (!own_terms.hidden) {
    path.mtu = own_terms.mtu;
    return;
  }
  path.hidden = true;
  path.shared_sources = {{terms.prefsrc, path.oif}};
  if (terms.prefsrc) path.shared_sources.push_back({std::nullopt, path.oif});
  for (const InterfaceAddress &own : state_.addresses)
    if (!own.local.is_v4() && own.local != terms.prefsrc && !(own.flags & IFA_F_TENTATIVE))
      path.shared_sources.push_back({own.local, path.oif});
}

Path PathFinder::Object(const RouteTerms &terms, int family, const NexthopObject &object) const {
  Path path;
  path.oif = object.oif;
  path.gateway = object.gateway;
  path.id = object.id;
  path.mtu = terms.mtu;
  FindLink(family, path);
  if (object.flags & RTNH_F_DEAD) path.usable = false;
  if (family == AF_INET6) {
    const auto sources = shared_.SourcesOf(object.id);
    if (sources.size() > 1) path.shared_sources.assign(sources.begin(), sources.end());
    path.shared_length = shared_.LengthsDiffer(object.id);
  }
  FindSource(terms, family, &object, path);
  return path;
}

Paths PathFinder::Group(const RouteTerms &terms, int family, const NexthopObject &group) const {
  Paths paths;
  paths.choice = group.resilient ? Choice::kResilient : Choice::kGroup;
  absl::flat_hash_map<std::uint32_t, std::uint32_t> place;
  for (const NexthopMember &member : group.group) {
    const NexthopObject *object = Get(objects_, member.id);
    if (!object) continue;
    if (object->blackhole) paths.forbids = true;
    place[member.id] = static_cast<std::uint32_t>(paths.all.size());
    paths.all.push_back(Object(terms, family, *object));
    paths.all.back().weight = member.weight;
  }
  for (const std::uint32_t id : group.buckets) {
    const auto found = place.find(id);
    if (found == place.end()) {
      paths.buckets.clear();
      break;
    }
    paths.buckets.push_back(found->second);
  }
  // IPv4 counts what there is to choose from: defaults then take turns.
  if (family == AF_INET && paths.all.size() == 1 && !paths.forbids) paths.choice = Choice::kSingle;
  return paths;
}

void PathFinder::FindLink(int family, Path &path) const {
  if (const Link *link = Get(links_, path.oif)) {
    const bool v6 = family == AF_INET6;
    const bool ignores = link->ignore_linkdown[v6] || (!v6 && state_.settings.ignore_linkdown_all);
    path.group = link->group;
    path.usable = (link->flags & IFF_UP) && !(ignores && !(link->flags & IFF_LOWER_UP));
  }
  if (!path.gateway) return;
  const auto neighbour = neighbours_.find({path.oif, *path.gateway});
  if (neighbour != neighbours_.end()) path.neighbour = neighbour->second;
}

void PathFinder::FindSource(const RouteTerms &terms, int family, const NexthopObject *object,
                            Path &path) const {
  if (terms.prefsrc) {
    path.source = terms.prefsrc;
    return;
  }
  if (family != AF_INET || terms.type == RTN_LOCAL) return;
  if (!object) {
    Source4 chosen = SelectSource4(state_, path.oif, path.gateway, terms.scope);
    path.source = chosen.address;
    path.other_sources = std::move(chosen.others);
    return;
  }
  // The object keeps the source it had for whichever route was looked up first.
  std::optional<IpAddress> hint = path.gateway;
  if (hint && !hint->is_v4()) hint.reset();
  Source4 chosen = SelectSource4(state_, path.oif, hint, terms.scope);
  path.source = chosen.address;
  path.other_sources = std::move(chosen.others);
  for (const std::uint8_t scope : scopes_.at(object->id)) {
    const Source4 other = SelectSource4(state_, path.oif, hint, scope);
    if (other.address != chosen.address) path.other_sources.push_back(other.address);
    path.other_sources.insert(path.other_sources.end(), other.others.begin(), other.others.end());
  }
}

}  // namespace srcsel
