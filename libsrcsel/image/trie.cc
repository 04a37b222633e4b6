#include "image/trie.hh"

#include <algorithm>
#include <array>
#include <bit>
#include <tuple>

namespace srcsel {
namespace {

// `count` bits of the key, starting `depth` bits below its top.
std::uint32_t BitsAt(const srcsel_key &key, int depth, int count) {
  std::uint64_t top = key.hi;
  if (depth >= 64)
    top = key.lo << (depth - 64);
  else if (depth > 0)
    top = key.hi << depth | key.lo >> (64 - depth);
  return static_cast<std::uint32_t>(top >> (64 - count));
}

// One stride of a subtree: what each of its slots holds if nothing longer follows there, and the
// entries that are longer.
template <int kBits>
struct Stride {
  static constexpr std::uint32_t kSlots = 1u << kBits;

  std::array<std::uint16_t, kSlots> route;
  std::array<std::span<const TrieEntry>, kSlots> longer{};

  // `entries` are sorted by key, then length: a prefix comes before all that nest in it, and what
  // is longer than this stride is contiguous within its slot.
  Stride(std::span<const TrieEntry> entries, int depth, std::uint16_t inherited) {
    route.fill(inherited);
    const int end = depth + kBits;
    for (const TrieEntry &entry : entries) {
      const std::uint32_t slot = BitsAt(entry.key, depth, kBits);
      if (entry.length <= end)
        std::fill_n(route.begin() + slot, 1u << (end - entry.length), entry.route);
      else
        longer[slot] = {longer[slot].empty() ? &entry : longer[slot].data(),
                        longer[slot].size() + 1};
    }
    for (std::uint32_t slot = 0; slot < kSlots; ++slot)
      if (std::ranges::all_of(longer[slot],
                              [&](const TrieEntry &e) { return e.route == route[slot]; }))
        longer[slot] = {};
  }
};

constexpr std::uint32_t kNodeSlots = Stride<SRCSEL_STRIDE>::kSlots;

}  // namespace

srcsel_table TrieWriter::Add(std::vector<TrieEntry> entries) {
  const auto place = [](const TrieEntry &e) { return std::tuple(e.key.hi, e.key.lo, e.length); };
  if (!std::ranges::is_sorted(entries, {}, place)) std::ranges::sort(entries, {}, place);
  srcsel_table table{};
  table.fan = SRCSEL_NONE;
  if (entries.size() > kFanFrom) {
    table.fan = AddFan(entries);
    return table;
  }
  Entries rest = entries;
  std::uint16_t inherited = 0;
  if (!rest.empty() && rest.front().length == 0) {
    inherited = rest.front().route;
    rest = rest.subspan(1);
  }
  table.root = Slot(rest, 0, inherited);
  return table;
}

std::uint32_t TrieWriter::AddFan(Entries entries) {
  const Stride<SRCSEL_FAN_BITS> stride(entries, 0, 0);
  const std::size_t fan = fans_.size();
  fans_.resize(fan + SRCSEL_FAN_SLOTS);
  for (std::uint32_t slot = 0; slot < SRCSEL_FAN_SLOTS; ++slot)
    fans_[fan + slot] = Slot(stride.longer[slot], SRCSEL_FAN_BITS, stride.route[slot]);
  return static_cast<std::uint32_t>(fan);
}

std::uint32_t TrieWriter::Slot(Entries entries, int depth, std::uint16_t inherited) {
  if (entries.empty()) return SRCSEL_LEAF | inherited;
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  nodes_.emplace_back();
  FillNode(index, entries, depth, inherited);
  return index;
}

void TrieWriter::FillNode(std::uint32_t index, Entries entries, int depth,
                          std::uint16_t inherited) {
  const Stride<SRCSEL_STRIDE> stride(entries, depth, inherited);
  srcsel_node node{};
  std::array<std::uint16_t, kNodeSlots> runs;
  std::size_t count = 0;
  for (std::uint32_t slot = 0; slot < kNodeSlots; ++slot) {
    if (!stride.longer[slot].empty()) {
      node.children |= std::uint64_t{1} << slot;
    } else if (count == 0 || runs[count - 1] != stride.route[slot]) {
      node.starts |= std::uint64_t{1} << slot;
      runs[count++] = stride.route[slot];
    }
  }
  if (count <= SRCSEL_NODE_RUNS) {
    node.leaf = SRCSEL_NONE;
    std::copy_n(runs.begin(), count, node.runs);
  } else {
    node.leaf = static_cast<std::uint32_t>(leaves_.size());
    leaves_.insert(leaves_.end(), runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(count));
  }
  node.child = static_cast<std::uint32_t>(nodes_.size());
  nodes_[index] = node;
  nodes_.resize(nodes_.size() + std::popcount(node.children));

  std::uint32_t child = node.child;
  for (std::uint32_t slot = 0; slot < kNodeSlots; ++slot)
    if (!stride.longer[slot].empty())
      FillNode(child++, stride.longer[slot], depth + static_cast<int>(SRCSEL_STRIDE),
               stride.route[slot]);
}

}  // namespace srcsel
