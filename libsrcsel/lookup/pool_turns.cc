#include "lookup/pool_turns.hh"

#include <algorithm>
#include <span>

#include "image/key.hh"

namespace srcsel {

PoolTurns PoolTurnsOf(const Image &image, srcsel_family family, std::uint32_t rule) {
  const auto policy = image.Section<srcsel_policy>(image.header().policy);
  if (rule >= policy.size()) return {};
  const srcsel_policy &of = policy[rule];
  if (!(of.action & SRCSEL_DO_POOL) || of.pick == SRCSEL_PICK_HASH) return {};
  const auto all = image.Section<srcsel_slot>(image.header().slots);
  if (of.pool[family] > all.size()) return {};
  const auto slots =
      all.subspan(of.pool[family])
          .first(std::min<std::size_t>(of.slots[family], all.size() - of.pool[family]));
  PoolTurns found{.at_random = of.pick == SRCSEL_PICK_CHANCE};
  for (std::uint32_t i = 0; i < slots.size(); ++i) {
    const IpAddress source = FromWire(family, slots[i].source);
    if (std::ranges::find(found.turns, source, &PoolTurn::source) == found.turns.end())
      found.turns.push_back({source, i});
  }
  if (found.turns.size() < 2) found.turns.clear();
  return found;
}

}  // namespace srcsel
