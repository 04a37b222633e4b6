// Shortcuts into an image's tries (srcsel_shortcuts of engine/platform.h): the largest table of
// each family can be entered 24 bits down, at once. A full table's trie does not fit into the
// caches, and a lookup there waits for memory two or three times; this way once.
//
// What a slot holds was asked of the engine, so that a lookup is the same with shortcuts or
// without. They tell nothing of small tables, of what has no prefix longer than 12 near it and, in
// IPv4, of prefixes longer than 24: that is left to the trie. Without memory there are none.
//
// Immutable once made. Cost: 2^24 slots of 2 bytes (IPv4) or 4 (IPv6), of which those pages take
// memory that something is written to: 1.2 MB for 1,000 Internet prefixes, 32 MB for 950,000, 0.3
// MB in IPv6. Making them takes 0.6 ms and up to 70 ms.

#pragma once

#include <cstddef>
#include <memory>

#include "engine/platform.h"
#include "image/image.hh"

namespace srcsel {

class Shortcuts {
 public:
  explicit Shortcuts(const Image &image);

  // The engine's view of the image and of these. Valid as long as both stay where they are.
  srcsel_memory Into(const Image &image) const;

 private:
  struct Unmap {
    std::size_t size;
    void operator()(void *memory) const;
  };
  using Memory = std::unique_ptr<void, Unmap>;

  template <typename Slot>
  const Slot *Fill(const Image &image, srcsel_family family);

  Memory memory_[SRCSEL_FAMILIES];
  srcsel_shortcuts shortcuts_ = {{SRCSEL_NONE, SRCSEL_NONE}, nullptr, nullptr};
};

}  // namespace srcsel
