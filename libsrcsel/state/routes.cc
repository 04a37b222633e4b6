#include "state/routes.hh"

namespace srcsel {

Routes::Routes(const std::vector<Route> &routes) {
  entries_.reserve(routes.size());
  for (const Route &route : routes) push_back(route);
}

std::uint32_t Routes::Keep(const RouteTerms &terms) {
  const auto [place, added] = index_.try_emplace(terms, static_cast<std::uint32_t>(terms_.size()));
  if (added) terms_.push_back(terms);
  return place->second;
}

Route Routes::At(std::size_t index) const {
  const Entry &entry = entries_[index];
  return {terms_[entry.terms], entry.dst};
}

}  // namespace srcsel
