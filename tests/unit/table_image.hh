// An image that holds tables and their tries alone, for tests of searches.

#pragma once

#include <utility>
#include <vector>

#include "image/image.hh"
#include "image/trie.hh"
#include "image/writer.hh"

namespace srcsel {

inline Image ImageOfTables(const std::vector<srcsel_table> &tables, const TrieWriter &tries) {
  ImageWriter writer;
  srcsel_header header{};
  header.tables = writer.Append(tables);
  header.fans = writer.Append(tries.fans());
  header.nodes = writer.Append(tries.nodes());
  header.leaves = writer.Append(tries.leaves());
  return std::move(writer).Finish(header);
}

}  // namespace srcsel
