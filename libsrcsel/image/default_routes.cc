#include "image/default_routes.hh"

#include <linux/rtnetlink.h>

namespace srcsel {
namespace {

constexpr std::uint8_t kTosMask = 0x1c;

}  // namespace

DefaultRoute DefaultOf(const RouteTerms &terms, const Paths &paths) {
  DefaultRoute route = {
      .tos = terms.tos, .metric = terms.metric, .type = terms.type, .scope = terms.scope};
  if (paths.all.empty()) return route;
  route.gateway = paths.all[0].gateway.has_value();
  route.neighbour = paths.all[0].neighbour;
  return route;
}

std::vector<std::size_t> CompetingDefaults(std::span<const DefaultRoute> routes, std::size_t found,
                                           std::uint8_t tos) {
  std::vector<std::size_t> competitors;
  std::uint32_t metric = routes[found].metric;
  std::uint8_t last_tos = 0;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const DefaultRoute &route = routes[i];
    if (route.tos != 0 && route.tos != (tos & kTosMask)) continue;
    if (route.metric > metric && route.tos == last_tos) continue;
    last_tos = route.tos;
    metric = route.metric;
    if (route.scope != routes[found].scope || route.type != RTN_UNICAST || !route.gateway) continue;
    if (competitors.empty() && i != found) return {};
    competitors.push_back(i);
  }
  return competitors;
}

}  // namespace srcsel
