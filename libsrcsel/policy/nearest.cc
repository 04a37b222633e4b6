#include "policy/nearest.hh"

#include <algorithm>
#include <numeric>
#include <vector>

namespace srcsel {
namespace {

// How many letters must be inserted, deleted or replaced, or neighbours swapped (counted as one).
std::size_t Slips(absl::string_view a, absl::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

}  // namespace

absl::string_view Nearest(absl::string_view word, std::span<const absl::string_view> candidates) {
  constexpr std::size_t kLongest = 64;
  absl::string_view nearest;
  if (word.size() > kLongest) return nearest;
  std::size_t fewest = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (absl::string_view candidate : candidates) {
    if (candidate.size() > kLongest) continue;
    const std::size_t slips = Slips(word, candidate);
    if (slips >= fewest || slips >= candidate.size()) continue;
    fewest = slips;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace srcsel
