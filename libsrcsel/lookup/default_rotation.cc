#include "lookup/default_rotation.hh"

#include <linux/rtnetlink.h>

#include <utility>
#include <vector>

namespace srcsel {
namespace {

constexpr std::uint8_t kTosMask = 0x1c;

// Those that take part, in order; none unless `found` is the first of them.
std::vector<std::size_t> Competitors(std::span<const DefaultRoute> routes, std::size_t found,
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

}  // namespace

DefaultTurn RotateDefault(std::span<const DefaultRoute> routes, std::size_t found, std::uint8_t tos,
                          int memory) {
  if (routes.size() < 2 || routes[found].type != RTN_UNICAST) return {found, memory};
  const std::vector<std::size_t> competitors = Competitors(routes, found, tos);
  if (competitors.empty()) return {found, memory};
  if (competitors.size() == 1) return {found, -1};

  int last_resort = -1;
  for (int turn = 0; turn < static_cast<int>(competitors.size()); ++turn) {
    const std::size_t index = competitors[static_cast<std::size_t>(turn)];
    const GatewayState state = routes[index].neighbour;
    if (!state || *state == NUD_REACHABLE) return {index, turn};
    const bool valid = (*state & kNudValid) != 0;
    if (valid && turn != memory) return {index, turn};
    const bool better_than_none = last_resort < 0 && turn > memory && *state != NUD_INCOMPLETE;
    if (valid || better_than_none) last_resort = turn;
  }
  if (last_resort < 0) return {found, -1};
  return {competitors[static_cast<std::size_t>(last_resort)], last_resort};
}

PathChoice ChooseDefault(std::span<const DefaultRoute> routes, std::size_t found,
                         std::uint8_t tos) {
  std::vector<std::size_t> indexes;
  for (int memory = -1; memory < static_cast<int>(routes.size()); ++memory)
    indexes.push_back(RotateDefault(routes, found, tos, memory).index);
  return PathChoice::OneOf(std::move(indexes));
}

}  // namespace srcsel
