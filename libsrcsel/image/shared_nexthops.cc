#include "image/shared_nexthops.hh"

#include <algorithm>

namespace srcsel {

SharedNexthops::SharedNexthops(const State &state) {
  absl::flat_hash_map<std::uint32_t, const NexthopObject *> objects;
  for (const NexthopObject &object : state.nexthops) objects.emplace(object.id, &object);
  for (const Routes::Entry &route : state.routes.entries()) {
    const RouteTerms &terms = state.routes.TermsOf(route);
    if (terms.nexthop_id == 0 || route.dst.address.is_v4()) continue;
    const auto object = objects.find(terms.nexthop_id);
    if (object == objects.end()) continue;
    const std::vector<NexthopMember> &group = object->second->group;
    // A group's first member stands for it, whichever is taken.
    const auto first = group.empty() ? object : objects.find(group[0].id);
    const SourceTerms source = {terms.prefsrc, first == objects.end() ? 0 : first->second->oif};
    if (group.empty()) Note(terms.nexthop_id, source, route.dst.length);
    for (const NexthopMember &member : group) Note(member.id, source, route.dst.length);
  }
}

std::span<const SourceTerms> SharedNexthops::SourcesOf(std::uint32_t id) const {
  const auto use = uses_.find(id);
  if (use == uses_.end()) return {};
  return use->second.sources;
}

bool SharedNexthops::LengthsDiffer(std::uint32_t id) const {
  const auto use = uses_.find(id);
  return use != uses_.end() && use->second.lengths_differ;
}

void SharedNexthops::Note(std::uint32_t id, const SourceTerms &source, int length) {
  Use &use = uses_.try_emplace(id, Use{.sources = {}, .length = length}).first->second;
  if (std::ranges::find(use.sources, source) == use.sources.end()) use.sources.push_back(source);
  if (use.length != length) use.lengths_differ = true;
}

}  // namespace srcsel
