// Lays out an image: arrays one after the other, each on a page of its own.

#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "image/image.hh"
#include <srcsel/abi.h>

namespace srcsel {

class ImageWriter {
 public:
  ImageWriter() : bytes_(SRCSEL_PAGE) {}

  template <typename T>
  srcsel_section Append(std::span<const T> objects) {
    static_assert(std::is_trivially_copyable_v<T> && std::has_single_bit(sizeof(T)));
    const std::size_t start = bytes_.size(), size = objects.size_bytes();
    bytes_.resize(start + (size + SRCSEL_PAGE - 1) / SRCSEL_PAGE * SRCSEL_PAGE);
    if (size > 0) std::memcpy(bytes_.data() + start, objects.data(), size);
    return {static_cast<__u32>(start / SRCSEL_PAGE), static_cast<__u32>(objects.size())};
  }

  template <typename T>
  srcsel_section Append(const std::vector<T> &objects) {
    return Append(std::span<const T>(objects));
  }

  // Completes the header with magic, version and size, and hands out the image.
  Image Finish(srcsel_header header) && {
    header.magic = SRCSEL_ABI_MAGIC;
    header.version = SRCSEL_ABI_VERSION;
    header.pages = static_cast<__u32>(bytes_.size() / SRCSEL_PAGE);
    std::memcpy(bytes_.data(), &header, sizeof(header));
    return Image(std::move(bytes_));
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace srcsel
