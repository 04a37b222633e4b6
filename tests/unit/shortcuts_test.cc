// Lookups by shortcut against the same lookups without.

#include "lookup/shortcuts.hh"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "fixtures.hh"
#include "lookup/engine.hh"
#include "table_image.hh"

namespace srcsel {
namespace {

struct Contents {
  srcsel_family family;
  std::vector<TrieEntry> entries;
  std::uint32_t oif = 0;
};

Image Write(const std::vector<Contents> &contents) {
  TrieWriter tries;
  std::vector<srcsel_table> tables;
  for (const Contents &each : contents) {
    srcsel_table &table = tables.emplace_back();
    table.family = each.family;
    table.oif = each.oif;
    table.trie = tries.Add(each.entries);
  }
  return ImageOfTables(tables, tries);
}

// An image looked up in both ways.
class TwoWays {
 public:
  explicit TwoWays(const std::vector<Contents> &contents)
      : image_(Write(contents)),
        shortcuts_(image_),
        plain_(image_.memory()),
        short_(shortcuts_.Into(image_)) {}

  void ExpectAlike(std::uint32_t table, const srcsel_key &key) {
    const std::uint32_t plain = FindInTable(&plain_, image_.header(), table, key);
    ASSERT_EQ(FindInTable(&short_, image_.header(), table, key), plain)
        << "table " << table << ", key " << std::hex << key.hi << ' ' << key.lo;
    const srcsel_trie &trie = Trie(table);
    if (trie.fan != SRCSEL_NONE && srcsel_jump(&short_, trie.fan, &key) != 0) ++told_;
  }
  // Around the ends of each prefix, and anywhere.
  void ExpectAlike(std::uint32_t table, const std::vector<TrieEntry> &entries) {
    std::mt19937_64 random(entries.size());
    for (const TrieEntry &entry : entries) {
      const srcsel_key mask = MaskOf(entry.length), &first = entry.key;
      const srcsel_key last = {first.hi | ~mask.hi, first.lo | ~mask.lo};
      const srcsel_key anywhere = {random(), random()};
      const srcsel_key inside = {first.hi | (anywhere.hi & ~mask.hi), anywhere.lo};
      const srcsel_key before = {first.hi - 1, ~0ull}, behind = {last.hi + 1, 0};
      for (const srcsel_key &key : {first, last, anywhere, inside, before, behind})
        ASSERT_NO_FATAL_FAILURE(ExpectAlike(table, key));
    }
  }
  bool Has(std::uint32_t table) const {
    return std::ranges::find(short_.shortcuts->fan, Trie(table).fan) !=
           std::end(short_.shortcuts->fan);
  }
  // How many keys so far the shortcuts knew.
  int told() const { return told_; }

 private:
  const srcsel_trie &Trie(std::uint32_t table) const {
    return image_.Section<srcsel_table>(image_.header().tables)[table].trie;
  }

  const Image image_;
  const Shortcuts shortcuts_;
  const srcsel_memory plain_, short_;
  int told_ = 0;
};

// `count` prefixes, none twice, half of them near one drawn before; the default is the first.
std::vector<TrieEntry> Draw(std::size_t count, srcsel_family family, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const int shortest = family == SRCSEL_V4 ? 8 : 16, longest = family == SRCSEL_V4 ? 32 : 64;
  std::vector<TrieEntry> entries = {{{0, 0}, 0, 7}};
  const auto place = [](const TrieEntry &e) { return std::tuple(e.key.hi, e.length); };
  while (entries.size() < count) {
    for (std::size_t i = entries.size(); i < count; ++i) {
      const int length = shortest + static_cast<int>(random() % (longest - shortest + 1));
      std::uint64_t bits = random();
      if (random() % 2) bits = entries[random() % i].key.hi ^ bits >> 12;
      entries.push_back({{bits & MaskOf(length).hi, 0},
                         static_cast<std::uint8_t>(length),
                         static_cast<std::uint16_t>(random() % 65536)});
    }
    std::ranges::sort(entries, {}, place);
    const auto twice = std::ranges::unique(entries, {}, place);
    entries.erase(twice.begin(), twice.end());
  }
  return entries;
}

class ShortcutsTest : public testing::TestWithParam<std::tuple<srcsel_family, std::size_t>> {};

TEST_P(ShortcutsTest, FindWhatTheTrieFinds) {
  const auto [family, count] = GetParam();
  for (const bool has_default : {true, false}) {
    std::vector<TrieEntry> entries = Draw(count, family, count);
    if (!has_default) entries.erase(entries.begin());
    TwoWays ways({{family, entries}});
    EXPECT_TRUE(ways.Has(0));
    ways.ExpectAlike(0, entries);
    EXPECT_GT(ways.told(), static_cast<int>(count) / 2);
  }
}

// A fan as small as it gets; few nodes; so many that huge pages are asked for.
INSTANTIATE_TEST_SUITE_P(Sizes, ShortcutsTest,
                         testing::Combine(testing::Values(SRCSEL_V4, SRCSEL_V6),
                                          testing::Values(TrieWriter::kFanFrom + 2, 3'000,
                                                          40'000)));

TEST(Shortcuts, SmallTablesHaveNone) {
  const std::vector<TrieEntry> few = Draw(100, SRCSEL_V4, 1);
  TwoWays ways({{SRCSEL_V4, {}}, {SRCSEL_V4, few}, {SRCSEL_V6, Draw(1, SRCSEL_V6, 1)}});
  for (std::uint32_t table = 0; table < 3; ++table) ways.ExpectAlike(table, few);
  EXPECT_EQ(ways.told(), 0);
}

TEST(Shortcuts, TheLargestTableOfEachFamilyHasOne) {
  const std::vector<TrieEntry> large4 = Draw(2'000, SRCSEL_V4, 1), small4 = Draw(500, SRCSEL_V4, 2),
                               large6 = Draw(600, SRCSEL_V6, 3), small6 = Draw(300, SRCSEL_V6, 4);
  TwoWays ways({{SRCSEL_V4, small4},
                {SRCSEL_V4, large4},
                {SRCSEL_V4, Draw(4'000, SRCSEL_V4, 5), 3},
                {SRCSEL_V6, large6},
                {SRCSEL_V6, small6}});
  EXPECT_TRUE(ways.Has(1) && ways.Has(3));
  EXPECT_FALSE(ways.Has(0) || ways.Has(2) || ways.Has(4));
  for (const auto &entries : {large4, small4, large6, small6})
    for (std::uint32_t table = 0; table < 5; ++table) ways.ExpectAlike(table, entries);
}

}  // namespace
}  // namespace srcsel
