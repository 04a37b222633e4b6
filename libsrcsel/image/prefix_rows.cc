#include "image/prefix_rows.hh"

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace srcsel {
namespace {

bool Before(const PrefixRow &a, const PrefixRow &b) {
  if (a.key.hi != b.key.hi) return a.key.hi < b.key.hi;
  return std::tie(a.key.lo, a.length) < std::tie(b.key.lo, b.length);
}

// How far a row of the same address may have to go back before a sort is cheaper.
constexpr std::ptrdiff_t kNear = 64;

}  // namespace

void Order(std::vector<PrefixRow> &rows) {
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    auto place = row;
    while (place != rows.begin() && row - place < kNear && Before(*row, place[-1])) --place;
    if (row->SameAddress(*place) && row - place < kNear) {
      std::rotate(place, row, row + 1);
    } else {
      std::ranges::stable_sort(rows, Before);
      return;
    }
  }
}

std::span<const PrefixRow> FirstPrefix(std::span<const PrefixRow> rows) {
  std::size_t count = 1;
  while (count < rows.size() && rows[count].SamePrefix(rows[0])) ++count;
  return rows.first(count);
}

}  // namespace srcsel
