#include "image/trie.hh"

#include <algorithm>
#include <bit>
#include <tuple>

namespace srcsel {
namespace {

constexpr int kStride = SRCSEL_STRIDE;

// `count` bits of the key, starting `depth` bits below its top.
std::uint32_t BitsAt(const srcsel_key &key, int depth, int count) {
  std::uint64_t top = key.hi;
  if (depth >= 64)
    top = key.lo << (depth - 64);
  else if (depth > 0)
    top = key.hi << depth | key.lo >> (64 - depth);
  return static_cast<std::uint32_t>(top >> (64 - count));
}

int CommonBits(const srcsel_key &a, const srcsel_key &b) {
  return a.hi != b.hi ? std::countl_zero(a.hi ^ b.hi) : 64 + std::countl_zero(a.lo ^ b.lo);
}

}  // namespace

srcsel_trie TrieWriter::Add(std::vector<TrieEntry> entries, std::size_t fan_from) {
  const auto place = [](const TrieEntry &e) { return std::tuple(e.key.hi, e.key.lo, e.length); };
  if (!std::ranges::is_sorted(entries, {}, place)) std::ranges::sort(entries, {}, place);
  Begin(entries.size(), fan_from);
  for (const TrieEntry &entry : entries) Put(entry);
  return End();
}

void TrieWriter::Begin(std::size_t count, std::size_t fan_from) {
  levels_.resize(SRCSEL_MAX_DEPTH);
  trie_ = {};
  trie_.fan = SRCSEL_NONE;
  last_ = {};
  open_ = 0;
  fan_bits_ = count > fan_from ? SRCSEL_FAN_BITS : 0;
  if (fan_bits_ == 0) return Open(0, 0);
  trie_.fan = static_cast<__u32>(fans_.size());
  fans_.resize(fans_.size() + SRCSEL_FAN_SLOTS, SRCSEL_LEAF);
}

void TrieWriter::Put(const TrieEntry &entry) {
  const int common = CommonBits(last_, entry.key);
  last_ = entry.key;
  while (open_ > 0 && DepthOf(open_ - 1) > common) Close();
  if (open_ == 0) {
    if (entry.length <= fan_bits_) return FillFan(entry);
    const std::uint32_t slot = BitsAt(entry.key, 0, fan_bits_);
    Open(slot, static_cast<std::uint16_t>(fans_[trie_.fan + slot]));
  }
  int depth = DepthOf(open_ - 1);
  for (; entry.length > depth + kStride; depth += kStride) {
    const std::uint32_t slot = BitsAt(entry.key, depth, kStride);
    Open(slot, levels_[open_ - 1].routes[slot]);
  }
  Level &level = levels_[open_ - 1];
  const std::uint32_t first = BitsAt(entry.key, depth, kStride);
  const std::uint32_t end = first + (1u << (depth + kStride - entry.length));
  std::fill(level.routes.begin() + first, level.routes.begin() + end, entry.route);
  level.edges |= std::uint64_t{1} << first;
  if (end < kSlots) level.edges |= std::uint64_t{1} << end;
}

srcsel_trie TrieWriter::End() {
  while (open_ > 0) Close();
  return trie_;
}

int TrieWriter::DepthOf(std::size_t level) const {
  return fan_bits_ + static_cast<int>(level) * kStride;
}

void TrieWriter::FillFan(const TrieEntry &entry) {
  const auto first = fans_.begin() + trie_.fan + BitsAt(entry.key, 0, fan_bits_);
  std::fill_n(first, std::size_t{1} << (fan_bits_ - entry.length), SRCSEL_LEAF | entry.route);
}

void TrieWriter::Open(std::uint32_t slot, std::uint16_t inherited) {
  Level &level = levels_[open_++];
  level.routes.fill(inherited);
  level.edges = level.children = 0;
  level.slot = slot;
  level.count = 0;
}

// One without children whose slots are all alike is not stored.
void TrieWriter::Close() {
  const Level &level = levels_[--open_];
  const srcsel_node node = NodeOf(level);
  const bool one_route = level.children == 0 && node.starts == 1;
  if (open_ > 0) {
    Level &above = levels_[open_ - 1];
    if (one_route) {
      above.routes[level.slot] = node.runs[0];
      above.edges |= std::uint64_t{1} << level.slot;
      if (level.slot + 1 < kSlots) above.edges |= std::uint64_t{2} << level.slot;
    } else {
      above.children |= std::uint64_t{1} << level.slot;
      above.nodes[above.count++] = node;
    }
    return;
  }
  const __u32 slot = one_route ? SRCSEL_LEAF | node.runs[0] : static_cast<__u32>(nodes_.size());
  if (!one_route) nodes_.push_back(node);
  if (fan_bits_ > 0)
    fans_[trie_.fan + level.slot] = slot;
  else
    trie_.root = slot;
}

srcsel_node TrieWriter::NodeOf(const Level &level) {
  srcsel_node node{};
  std::array<std::uint16_t, kSlots> runs;
  std::size_t count = 0;
  std::uint64_t maybe = (level.edges | level.children << 1 | 1) & ~level.children;
  for (; maybe != 0; maybe &= maybe - 1) {
    const int slot = std::countr_zero(maybe);
    if (count > 0 && runs[count - 1] == level.routes[slot]) continue;
    node.starts |= std::uint64_t{1} << slot;
    runs[count++] = level.routes[slot];
  }
  node.children = level.children;
  node.child = static_cast<__u32>(nodes_.size());
  nodes_.insert(nodes_.end(), level.nodes.begin(), level.nodes.begin() + level.count);
  if (count <= SRCSEL_NODE_RUNS) {
    node.leaf = SRCSEL_NONE;
    std::copy_n(runs.begin(), count, node.runs);
  } else {
    node.leaf = static_cast<__u32>(leaves_.size());
    leaves_.insert(leaves_.end(), runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return node;
}

}  // namespace srcsel
