// Writes routing tables as popcount tries (layout: <srcsel/abi.h>; the reader is engine/trie.h).
//
// All tables of an image share one TrieWriter, hence one array each of nodes, leaves and fans.
//
// Cost: a table of n prefixes is sorted, then each prefix is visited once a stride it spans. A
// table of more than kFanFrom prefixes starts with a fan of 4096 slots (16 KiB), which saves two
// strides.

#pragma once

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

  // Adds a table; no two entries have the same key and length. Only root and fan of the result are
  // filled in.
  srcsel_table Add(std::vector<TrieEntry> entries);

  std::span<const srcsel_node> nodes() const { return nodes_; }
  std::span<const std::uint16_t> leaves() const { return leaves_; }
  std::span<const std::uint32_t> fans() const { return fans_; }

 private:
  using Entries = std::span<const TrieEntry>;

  std::uint32_t Slot(Entries entries, int depth, std::uint16_t inherited);
  void FillNode(std::uint32_t index, Entries entries, int depth, std::uint16_t inherited);
  std::uint32_t AddFan(Entries entries);

  std::vector<srcsel_node> nodes_;
  std::vector<std::uint16_t> leaves_;
  std::vector<std::uint32_t> fans_;
};

}  // namespace srcsel
