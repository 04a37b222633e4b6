#include "lookup/default_rotation.hh"

#include <linux/rtnetlink.h>

#include <utility>
#include <vector>

#include "lookup/gateway_state.hh"

namespace srcsel {

DefaultTurn RotateDefault(std::span<const DefaultRoute> routes, std::size_t found, std::uint8_t tos,
                          int memory) {
  if (routes.size() < 2 || routes[found].type != RTN_UNICAST) return {found, memory};
  const std::vector<std::size_t> competitors = CompetingDefaults(routes, found, tos);
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
