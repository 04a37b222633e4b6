#include "image/image.hh"

#include <algorithm>

namespace srcsel {

bool Image::DecidesAs(const Image &other) const {
  constexpr std::size_t kStart = offsetof(srcsel_header, generation);
  constexpr std::size_t kEnd = kStart + sizeof(srcsel_header::generation);
  const auto mine = bytes(), theirs = other.bytes();
  return mine.size() == theirs.size() &&
         std::ranges::equal(mine.first(kStart), theirs.first(kStart)) &&
         std::ranges::equal(mine.subspan(kEnd), theirs.subspan(kEnd));
}

}  // namespace srcsel
