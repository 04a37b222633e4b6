// The trie that TrieWriter writes and the engine reads, against a search that looks at everything.

#include "image/trie.hh"

#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "absl/container/flat_hash_map.h"
#include "engine/trie.h"
#include "fixtures.hh"
#include "table_image.hh"

namespace srcsel {
namespace {

TrieEntry Entry(srcsel_key key, int length, std::uint16_t route) {
  const srcsel_key mask = MaskOf(length);
  return {{key.hi & mask.hi, key.lo & mask.lo}, static_cast<std::uint8_t>(length), route};
}

TrieEntry Entry(absl::string_view prefix, std::uint16_t route) {
  return Entry(KeyOf(Net(prefix).address), Net(prefix).length, route);
}

// The first and the last key of a prefix.
srcsel_key FirstOf(const TrieEntry &entry) {
  return entry.key;
}
srcsel_key LastOf(const TrieEntry &entry) {
  const srcsel_key mask = MaskOf(entry.length);
  return {entry.key.hi | ~mask.hi, entry.key.lo | ~mask.lo};
}

// Tables in an image, looked up by the engine.
class Tables {
 public:
  explicit Tables(const std::vector<std::vector<TrieEntry>> &contents)
      : image_(Write(contents)), memory_(image_.memory()) {}

  std::uint32_t Find(const srcsel_key &key, std::uint32_t table = 0) const {
    return srcsel_find_route(&memory_, srcsel_open(&memory_), table, &key);
  }
  std::span<const srcsel_node> nodes() const {
    return image_.Section<srcsel_node>(image_.header().nodes);
  }
  bool has_fan(std::uint32_t table = 0) const {
    return image_.Section<srcsel_table>(image_.header().tables)[table].trie.fan != SRCSEL_NONE;
  }

 private:
  static Image Write(const std::vector<std::vector<TrieEntry>> &contents) {
    TrieWriter tries;
    std::vector<srcsel_table> tables;
    for (const auto &entries : contents) tables.emplace_back().trie = tries.Add(entries);
    return ImageOfTables(tables, tries);
  }

  const Image image_;
  const srcsel_memory memory_;
};

std::uint32_t LinearScan(const std::vector<TrieEntry> &entries, const srcsel_key &key) {
  const TrieEntry *best = nullptr;
  for (const TrieEntry &e : entries) {
    const srcsel_match match{e.key, MaskOf(e.length)};
    if (!srcsel_outside(&key, &match) && (!best || e.length > best->length)) best = &e;
  }
  return best ? best->route : 0;
}

// A search by length, for tables too large to be scanned.
class ByLength {
 public:
  explicit ByLength(const std::vector<TrieEntry> &entries) {
    for (const TrieEntry &e : entries) by_length_[e.length][{e.key.hi, e.key.lo}] = e.route;
  }
  std::uint32_t Find(const srcsel_key &key) const {
    for (const auto &[length, routes] : by_length_) {
      const TrieEntry wanted = Entry(key, length, 0);
      const auto found = routes.find({wanted.key.hi, wanted.key.lo});
      if (found != routes.end()) return found->second;
    }
    return 0;
  }

 private:
  using Routes = absl::flat_hash_map<std::pair<std::uint64_t, std::uint64_t>, std::uint16_t>;
  std::map<int, Routes, std::greater<>> by_length_;
};

// ---- small worlds: everything there is --------------------------------------------------------

// Addresses of four bits, laid over bits depth..depth+3 of the key. What lies above them is always
// the same pattern; what lies below is all zeros or all ones.
class SmallWorld {
 public:
  explicit SmallWorld(int depth) : depth_(depth) {}

  // The 31 prefixes of such a world: number 1 is everything, 2 and 3 its halves, and so on.
  TrieEntry EntryOf(unsigned number, std::uint16_t route) const {
    const int length = std::bit_width(number) - 1;
    const unsigned bits = (number << (4 - length)) & 15;
    return Entry(KeyOf(bits, 0), depth_ + length, route);
  }
  srcsel_key KeyOf(unsigned bits, std::uint64_t below) const {
    const srcsel_key above = MaskOf(depth_), inside = MaskOf(depth_ + 4);
    return {(kPattern & above.hi) | (Shifted(bits).hi & inside.hi) | (below & ~inside.hi),
            (kPattern & above.lo) | (Shifted(bits).lo & inside.lo) | (below & ~inside.lo)};
  }

 private:
  static constexpr std::uint64_t kPattern = 0x5a3c96e1784bd20f;

  // The four bits where they belong, in one word of the key or across both.
  srcsel_key Shifted(unsigned bits) const {
    const std::uint64_t top = std::uint64_t{bits} << 60;
    if (depth_ >= 64) return {0, top >> (depth_ - 64)};
    return {top >> depth_, depth_ > 60 ? top << (64 - depth_) : 0};
  }

  int depth_;
};

// Calls `visit` for every set of at most `most` prefixes of the world.
template <typename F>
void ForEachSet(int most, F visit, std::vector<unsigned> chosen = {}) {
  visit(chosen);
  if (static_cast<int>(chosen.size()) == most) return;
  for (unsigned next = chosen.empty() ? 1 : chosen.back() + 1; next < 32; ++next) {
    chosen.push_back(next);
    ForEachSet(most, visit, chosen);
    chosen.pop_back();
  }
}

// Every set of at most `most` prefixes, which have `routes` different routes in turn.
void ExpectAllSetsRight(int depth, int most, unsigned routes,
                        const std::vector<TrieEntry> &beside = {}) {
  const SmallWorld world(depth);
  ForEachSet(most, [&](const std::vector<unsigned> &chosen) {
    std::vector<TrieEntry> entries = beside;
    for (unsigned i = 0; i < chosen.size(); ++i)
      entries.push_back(world.EntryOf(chosen[i], static_cast<std::uint16_t>(1 + i % routes)));
    const Tables tables({entries});
    ASSERT_EQ(tables.has_fan(), !beside.empty());
    for (unsigned bits = 0; bits < 16; ++bits)
      for (const std::uint64_t below : {std::uint64_t{0}, ~std::uint64_t{0}}) {
        const srcsel_key key = world.KeyOf(bits, below);
        ASSERT_EQ(tables.Find(key), LinearScan(entries, key))
            << "depth " << depth << ", prefixes " << testing::PrintToString(chosen) << ", address "
            << bits;
      }
  });
}

class TrieAtDepth : public testing::TestWithParam<int> {};

TEST_P(TrieAtDepth, FindsInEveryPair) {
  ExpectAllSetsRight(GetParam(), 2, 2);
}

TEST_P(TrieAtDepth, FindsInEveryPairOfOneRoute) {
  ExpectAllSetsRight(GetParam(), 2, 1);
}

TEST_P(TrieAtDepth, FindsEveryPrefixBehindAFan) {
  std::vector<TrieEntry> beside;
  for (unsigned i = 0; i <= TrieWriter::kFanFrom; ++i)
    beside.push_back(Entry({0xc000000000000000 | std::uint64_t{i} << 40, 0}, 24,
                           static_cast<std::uint16_t>(100 + i % 3)));
  ExpectAllSetsRight(GetParam(), 1, 1, beside);
}

// The top; inside a stride; across two; below the fan's 12 bits; the end of IPv4; across the words
// of the key; the end of IPv6.
INSTANTIATE_TEST_SUITE_P(Depths, TrieAtDepth, testing::Values(0, 2, 4, 10, 28, 62, 124));

TEST(Trie, FindsInEveryTripleWithEqualNeighbours) {
  ExpectAllSetsRight(4, 3, 2);
}

TEST(Trie, FindsInEverySetOfFour) {
  ExpectAllSetsRight(2, 4, 4);
}

// ---- particular shapes ------------------------------------------------------------------------

TEST(Trie, AnEmptyTableHasNothing) {
  const Tables tables(std::vector<std::vector<TrieEntry>>(1));
  EXPECT_EQ(tables.Find({0, 0}), 0u);
  EXPECT_EQ(tables.Find({~0ull, ~0ull}), 0u);
  EXPECT_TRUE(tables.nodes().empty());
}

TEST(Trie, ADefaultRouteAloneNeedsNoNode) {
  const Tables tables({{Entry("0.0.0.0/0", 65535)}});
  EXPECT_EQ(tables.Find(KeyOf(Address("10.0.0.1"))), 65535u);
  EXPECT_TRUE(tables.nodes().empty());
}

TEST(Trie, AnUnknownTableHasNothing) {
  EXPECT_EQ(Tables({{Entry("0.0.0.0/0", 1)}}).Find({0, 0}, 1000), 0u);
}

TEST(Trie, TablesOfAnImageAreApart) {
  std::vector<TrieEntry> large;
  for (unsigned i = 0; i < 300; ++i)
    large.push_back(Entry({std::uint64_t{i} << 40, 0}, 24, static_cast<std::uint16_t>(i + 1)));
  const Tables tables({{Entry("10.0.0.0/8", 1)},
                       large,
                       {Entry("10.0.0.0/8", 3), Entry("10.1.0.0/16", 4)},
                       large,
                       {Entry("fd00::/8", 5)}});
  EXPECT_TRUE(tables.has_fan(1) && tables.has_fan(3));
  EXPECT_EQ(tables.Find(KeyOf(Address("10.1.0.0")), 0), 1u);
  EXPECT_EQ(tables.Find(KeyOf(Address("0.1.43.9")), 1), 300u);
  EXPECT_EQ(tables.Find(KeyOf(Address("10.1.0.0")), 2), 4u);
  EXPECT_EQ(tables.Find(KeyOf(Address("0.0.7.9")), 3), 8u);
  EXPECT_EQ(tables.Find(KeyOf(Address("fd12::1")), 4), 5u);
}

// Both sides of SRCSEL_NODE_RUNS, and the most that a node can hold.
TEST(Trie, ANodeHoldsAnyNumberOfRuns) {
  for (unsigned runs = 1; runs <= 64; ++runs) {
    std::vector<TrieEntry> entries;
    for (unsigned i = 0; i < runs; ++i)
      entries.push_back(Entry({std::uint64_t{i} << 58, 0}, 6, static_cast<std::uint16_t>(i + 1)));
    const Tables tables({entries});
    ASSERT_EQ(tables.nodes().size(), 1u);
    EXPECT_EQ(tables.nodes()[0].leaf == SRCSEL_NONE, runs + (runs < 64) <= SRCSEL_NODE_RUNS);
    for (std::uint64_t slot = 0; slot < 64; ++slot)
      ASSERT_EQ(tables.Find({slot << 58, 7}), slot < runs ? slot + 1 : 0) << runs << " runs";
  }
}

TEST(Trie, ANodeHasChildrenBetweenItsRuns) {
  std::vector<TrieEntry> entries;
  for (unsigned i = 0; i < 64; ++i)
    entries.push_back(Entry({std::uint64_t{i} << 58 | 1ull << 57, 0}, i % 2 ? 7 : 6,
                            static_cast<std::uint16_t>(i + 1)));
  const Tables tables({entries});
  for (const TrieEntry &e : entries)
    for (const srcsel_key &key : {FirstOf(e), LastOf(e)})
      EXPECT_EQ(tables.Find(key), LinearScan(entries, key));
}

TEST(Trie, WhatSaysNothingNewCostsNothing) {
  const Tables tables({{Entry("10.0.0.0/8", 1), Entry("10.9.0.0/16", 1), Entry("10.9.9.9/32", 1)}});
  EXPECT_EQ(tables.nodes().size(), 2u);
  EXPECT_EQ(tables.Find(KeyOf(Address("10.9.9.9"))), 1u);
}

TEST(Trie, AHostInEveryStrideOfIPv6) {
  std::vector<TrieEntry> entries;
  for (int length = 0; length <= 128; ++length)
    entries.push_back(Entry({~0ull, ~0ull}, length, static_cast<std::uint16_t>(length + 1)));
  const Tables tables({entries});
  for (int length = 0; length < 128; ++length) {
    srcsel_key key{~0ull, ~0ull};
    (length < 64 ? key.hi : key.lo) ^= 1ull << (63 - length % 64);
    EXPECT_EQ(tables.Find(key), length + 1u) << "a key that differs in bit " << length;
  }
  EXPECT_EQ(tables.Find({~0ull, ~0ull}), 129u);
}

TEST(Trie, TheFanStartsAboveItsLimit) {
  std::vector<TrieEntry> entries;
  for (unsigned i = 0; i < TrieWriter::kFanFrom; ++i)
    entries.push_back(Entry({std::uint64_t{i} << 56, 0}, 8, static_cast<std::uint16_t>(i + 1)));
  EXPECT_FALSE(Tables({entries}).has_fan());
  entries.push_back(Entry({0, 0}, 0, 1));
  const Tables tables({entries});
  EXPECT_TRUE(tables.has_fan());
  for (const TrieEntry &e : entries)
    for (const srcsel_key &key : {FirstOf(e), LastOf(e)})
      EXPECT_EQ(tables.Find(key), LinearScan(entries, key));
}

// ---- large tables -----------------------------------------------------------------------------

// `count` prefixes, three of four nested in one drawn before, none twice.
std::vector<TrieEntry> Nested(std::size_t count, int bits, const std::vector<int> &lengths,
                              std::mt19937_64 &random) {
  absl::flat_hash_map<std::tuple<std::uint64_t, std::uint64_t, int>, std::uint16_t> seen;
  std::vector<TrieEntry> entries;
  while (entries.size() < count) {
    const int length = lengths[random() % lengths.size()];
    srcsel_key key{random(), random()};
    if (!entries.empty() && random() % 4 != 0) {
      const TrieEntry &outer = entries[random() % entries.size()];
      const srcsel_key mask = MaskOf(outer.length);
      key = {outer.key.hi | (key.hi & ~mask.hi), outer.key.lo | (key.lo & ~mask.lo)};
    }
    const srcsel_key family = MaskOf(bits);
    const TrieEntry entry = Entry({key.hi & family.hi, key.lo & family.lo}, length,
                                  static_cast<std::uint16_t>(1 + random() % 500));
    if (seen.try_emplace({entry.key.hi, entry.key.lo, length}, 0).second) entries.push_back(entry);
  }
  return entries;
}

void ExpectRightAtBothEnds(const std::vector<TrieEntry> &entries) {
  const Tables tables({entries});
  const ByLength oracle(entries);
  ASSERT_TRUE(tables.has_fan());
  const auto expect_right = [&](const srcsel_key &key) {
    ASSERT_EQ(tables.Find(key), oracle.Find(key)) << std::hex << key.hi << ' ' << key.lo;
  };
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const srcsel_key first = FirstOf(entries[i]), last = LastOf(entries[i]);
    expect_right(first);
    expect_right(last);
    if (i % 8) continue;
    expect_right({first.hi - (first.lo == 0), first.lo - 1});
    expect_right({last.hi + (last.lo == ~0ull), last.lo + 1});
  }
}

TEST(Trie, AHundredThousandPrefixesOfIPv4) {
  std::mt19937_64 random(1);
  std::vector<int> lengths(60, 24);  // as in the tables of the Internet
  for (int length = 8; length <= 32; ++length) lengths.push_back(length);
  for (int length : {16, 19, 20, 21, 22, 22, 22, 23, 23}) lengths.insert(lengths.end(), 4, length);
  std::vector<TrieEntry> entries = Nested(100000, 32, lengths, random);
  entries.push_back(Entry({0, 0}, 0, 501));
  ExpectRightAtBothEnds(entries);
}

TEST(Trie, FiveThousandPrefixesOfIPv6) {
  std::mt19937_64 random(2);
  std::vector<int> lengths = {32, 40, 44, 48, 48, 48, 48, 56, 64, 64, 128, 128};
  for (int length = 1; length <= 128; ++length) lengths.push_back(length);
  ExpectRightAtBothEnds(Nested(5000, 128, lengths, random));
}

}  // namespace
}  // namespace srcsel
