#include "image/prefix_rows.hh"

#include <algorithm>
#include <tuple>

#include "image/key.hh"

namespace srcsel {
namespace {

bool AddressBefore(const PrefixRow &a, const PrefixRow &b) {
  return std::tie(a.key.hi, a.key.lo) < std::tie(b.key.hi, b.key.lo);
}

bool LengthBefore(const PrefixRow &a, const PrefixRow &b) {
  return a.length < b.length;
}

}  // namespace

bool PrefixRow::Covers(const PrefixRow &other) const {
  const srcsel_key mask = MaskOf(length);
  return length <= other.length && ((key.hi ^ other.key.hi) & mask.hi) == 0 &&
         ((key.lo ^ other.key.lo) & mask.lo) == 0;
}

void Order(std::vector<PrefixRow> &rows) {
  if (!std::ranges::is_sorted(rows, AddressBefore)) std::ranges::stable_sort(rows, AddressBefore);
  for (auto first = rows.begin(); first != rows.end();) {
    auto last = first + 1;
    while (last != rows.end() && !AddressBefore(*first, *last)) ++last;
    if (last - first > 1) std::stable_sort(first, last, LengthBefore);
    first = last;
  }
}

std::span<const PrefixRow> FirstPrefix(std::span<const PrefixRow> rows) {
  std::size_t count = 1;
  while (count < rows.size() && rows[count].SamePrefix(rows[0])) ++count;
  return rows.first(count);
}

}  // namespace srcsel
