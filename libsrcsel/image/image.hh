// A compiled image: the bytes of <srcsel/abi.h>, owned.
//
// Immutable once made, so any number of threads may read one. The bytes may be copied to a map, a
// file or another process as they are.

#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "engine/platform.h"
#include <srcsel/abi.h>

namespace srcsel {

class Image {
 public:
  // `bytes` is a whole number of pages and starts with a header.
  explicit Image(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

  std::span<const std::byte> bytes() const { return bytes_; }
  const srcsel_header &header() const {
    return *reinterpret_cast<const srcsel_header *>(bytes_.data());
  }

  // Whether both hold the same but for their generation.
  bool DecidesAs(const Image &other) const;

  // The engine's view. Valid as long as this Image is neither moved nor destroyed.
  srcsel_memory memory() const {
    return {reinterpret_cast<const __u8 *>(bytes_.data()),
            static_cast<__u32>(bytes_.size() / SRCSEL_PAGE), nullptr};
  }

  // The objects of one section.
  template <typename T>
  std::span<const T> Section(srcsel_section s) const {
    return {reinterpret_cast<const T *>(bytes_.data() + std::size_t{s.page} * SRCSEL_PAGE),
            s.count};
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace srcsel
