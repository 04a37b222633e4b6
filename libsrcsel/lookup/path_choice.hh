// Which of several paths the kernel takes, as far as that can be known.

#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace srcsel {

struct PathChoice {
  // The paths the kernel may take, by index, ascending: one if the choice is known, none if there
  // is no usable path.
  std::vector<std::size_t> candidates;

  // Given in any order, also repeatedly.
  static PathChoice OneOf(std::vector<std::size_t> indexes) {
    std::ranges::sort(indexes);
    const auto repeated = std::ranges::unique(indexes);
    indexes.erase(repeated.begin(), repeated.end());
    return {std::move(indexes)};
  }

  std::optional<std::size_t> exact() const {
    if (candidates.size() != 1) return std::nullopt;
    return candidates.front();
  }

  friend bool operator==(const PathChoice &, const PathChoice &) = default;
};

}  // namespace srcsel
