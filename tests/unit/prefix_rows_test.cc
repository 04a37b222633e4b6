#include "image/prefix_rows.hh"

#include <algorithm>
#include <random>
#include <tuple>

#include <gtest/gtest.h>

#include "image/key.hh"

namespace srcsel {
namespace {

PrefixRow Row(std::uint64_t bits, int length, std::uint32_t terms) {
  const srcsel_key mask = MaskOf(length);
  return {{bits & mask.hi, bits & mask.lo}, terms, static_cast<std::uint8_t>(length)};
}

auto PlaceOf(const PrefixRow &row) {
  return std::tuple(row.key.hi, row.key.lo, row.length);
}

void ExpectOrdered(std::vector<PrefixRow> rows) {
  std::vector<PrefixRow> sorted = rows;
  std::ranges::stable_sort(sorted, {}, PlaceOf);
  Order(rows);
  const auto same = [](const PrefixRow &a, const PrefixRow &b) {
    return PlaceOf(a) == PlaceOf(b) && a.terms == b.terms;
  };
  EXPECT_TRUE(std::ranges::equal(rows, sorted, same));
}

TEST(PrefixRows, NothingIsInOrder) {
  ExpectOrdered({});
}

// As the kernel lists IPv4: by address, at one address the longest first.
TEST(PrefixRows, LengthsOfOneAddressAreTurnedRound) {
  std::vector<PrefixRow> rows;
  for (std::uint64_t address = 0; address < 4; ++address)
    for (int length = 32; length >= 2; --length)
      for (std::uint32_t terms = 0; terms < 2; ++terms)
        rows.push_back(Row(address << 62, length, terms));
  ExpectOrdered(rows);
}

TEST(PrefixRows, ManyRowsMayHaveToGoBehindOne) {
  std::vector<PrefixRow> rows;
  for (std::uint32_t terms = 0; terms < 200; ++terms) rows.push_back(Row(1ull << 62, 24, terms));
  for (std::uint32_t terms = 0; terms < 200; ++terms) rows.push_back(Row(1ull << 62, 16, terms));
  ExpectOrdered(rows);
}

TEST(PrefixRows, AnyOrderWillDo) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<PrefixRow> rows;
    const std::size_t count = random() % 40;
    for (std::uint32_t i = 0; i < count; ++i)
      rows.push_back(Row(random() % 8 << 61, static_cast<int>(random() % 5 * 20), i));
    ExpectOrdered(rows);
  }
}

TEST(PrefixRows, APrefixCoversWhatIsWithin) {
  for (const int bits : {0, 1, 63, 64, 65, 127, 128})
    for (int length = 0; length <= 128; ++length) {
      PrefixRow wide = Row(~0ull, bits, 0), narrow = Row(~0ull, length, 0);
      EXPECT_EQ(wide.Covers(narrow), bits <= length) << bits << ' ' << length;
      if (bits == 0 || length < bits) continue;
      (bits > 64 ? narrow.key.lo : narrow.key.hi) ^= 1ull << ((128 - bits) % 64);
      EXPECT_FALSE(wide.Covers(narrow)) << bits << ' ' << length;
    }
}

}  // namespace
}  // namespace srcsel
