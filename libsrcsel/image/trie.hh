// Writes routing tables as popcount tries (layout: <srcsel/abi.h>; the reader is engine/trie.h).
//
// All tables of an image share one TrieWriter, hence one array each of nodes, leaves and fans.
//
// Cost: each prefix is visited once, each node written once. A table of more prefixes than
// kFanFrom, or than the caller says, starts with a fan of 4096 slots (16 KiB), which saves two
// strides. (One of 262144, 1 MiB, would save a third, and gain nothing: the strides that are left
// miss the same caches.)

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <srcsel/abi.h>

namespace srcsel {

struct TrieEntry {
  srcsel_key key;       // host bits clear
  std::uint8_t length;  // in bits of the key
  std::uint16_t route;  // index into the image's routes
};

class TrieWriter {
 public:
  static constexpr std::size_t kFanFrom = 256;

  // Adds a trie; no two entries have the same key and length.
  srcsel_trie Add(std::vector<TrieEntry> entries, std::size_t fan_from = kFanFrom);

  // The same, entry by entry, ordered by key, then length. `count` is how many there will be,
  // about.
  void Begin(std::size_t count, std::size_t fan_from = kFanFrom);
  void Put(const TrieEntry &entry);
  srcsel_trie End();

  std::span<const srcsel_node> nodes() const { return nodes_; }
  std::span<const std::uint16_t> leaves() const { return leaves_; }
  std::span<const std::uint32_t> fans() const { return fans_; }

 private:
  static constexpr std::uint32_t kSlots = 1u << SRCSEL_STRIDE;

  // A node whose slots are still being filled.
  struct Level {
    std::array<std::uint16_t, kSlots> routes;  // of the slots that are no nodes
    std::uint64_t edges;                       // slots from which on the route may be another
    std::uint64_t children;                    // slots that are nodes
    std::uint32_t slot;                        // its own in the node above, or in the fan
    std::uint32_t count;                       // of `nodes`
    std::array<srcsel_node, kSlots> nodes;
  };

  int DepthOf(std::size_t level) const;
  void Open(std::uint32_t slot, std::uint16_t inherited);
  void Close();
  srcsel_node NodeOf(const Level &level);
  void FillFan(const TrieEntry &entry);

  std::vector<srcsel_node> nodes_;
  std::vector<std::uint16_t> leaves_;
  std::vector<std::uint32_t> fans_;
  // Of the trie begun.
  std::vector<Level> levels_;
  std::size_t open_ = 0;  // of levels_
  srcsel_trie trie_{};
  int fan_bits_ = 0;  // 0: no fan
  srcsel_key last_{};
};

}  // namespace srcsel
