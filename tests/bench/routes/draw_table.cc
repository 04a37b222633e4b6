#include "bench/routes/draw_table.hh"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/numeric/int128.h"

namespace srcsel::bench {
namespace {

using Bits = absl::uint128;  // of an address, the first one highest, in both families

Bits Mask(int length) {
  return length == 0 ? Bits(0) : ~Bits(0) << (128 - length);
}

IpAddress AddressOf(int family, Bits bits) {
  std::uint8_t bytes[16];
  for (int i = 0; i < 16; ++i)
    bytes[i] = static_cast<std::uint8_t>(absl::Uint128Low64(bits >> (120 - 8 * i)) & 0xff);
  return IpAddress::FromBytes(family, bytes);
}

class Drawer {
 public:
  Drawer(const Shape &shape, std::size_t count, std::uint64_t seed)
      : shape_(shape), count_(count), random_(seed), by_length_(129) {
    std::vector<double> weights;
    for (const RootCount &root : shape.roots) weights.push_back(root.count);
    roots_ = std::discrete_distribution<std::size_t>(weights.begin(), weights.end());
  }

  std::vector<DrawnRoute> Run() {
    // What found no place at once is drawn again, as a smaller table over the first.
    for (int round = 0; round < 4; ++round) {
      const auto missing = static_cast<double>(count_ - table_.size());
      double due = 0;
      for (const CoverCount &cover : shape_.covers)
        for (due += cover.count * missing / shape_.total; due >= 1; --due) DrawOne(cover);
    }
    return std::move(table_);
  }

 private:
  struct Length {
    std::vector<Bits> all, parents;  // parents: those that cover something
    absl::flat_hash_map<Bits, std::uint8_t> hops;
  };

  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }
  bool Percent(unsigned percent) { return Below(100) < percent; }
  Bits Random() { return absl::MakeUint128(random_(), random_()); }

  void DrawOne(const CoverCount &cover) {
    for (int attempt = 0; attempt < 64; ++attempt) {
      const bool packed = attempt < 16;
      const Bits parent = cover.parent == 0 ? Bits(0) : Parent(cover.parent);
      const Bits bits = Draw(cover, parent, packed) & Mask(cover.length);
      if (by_length_[cover.length].hops.contains(bits)) continue;
      if (CoverOf(bits, cover.length) != cover.parent) continue;
      return Add(cover, parent, bits);
    }
  }

  Bits Parent(int length) {
    Length &parents = by_length_[length];
    if (parents.all.empty()) return 0;
    if (!parents.parents.empty() && Percent(80))
      return parents.parents[Below(parents.parents.size())];
    return parents.all[Below(parents.all.size())];
  }

  Bits Draw(const CoverCount &cover, Bits parent, bool packed) {
    const std::vector<Bits> &all = by_length_[cover.length].all;
    if (packed && !all.empty() && Percent(shape_.runs[cover.length]))
      return all[all.size() - 1 - Below(std::min<std::size_t>(all.size(), 4096))] +
             (Bits(1) << (128 - cover.length));
    const Bits within = cover.parent != 0
                            ? parent
                            : Bits(shape_.roots[roots_(random_)].bits) << (128 - shape_.root_bits);
    const int length = cover.parent != 0 ? cover.parent : shape_.root_bits;
    if (packed && length < Block() && cover.length > Block() && Percent(90))
      if (const auto block = KnownBlock(within, length))
        return *block | (Random() & ~Mask(Block()));
    return within | (Random() & ~Mask(length));
  }

  int Block() const { return 2 * shape_.root_bits; }

  // The first bits of an earlier prefix in there.
  std::optional<Bits> KnownBlock(Bits within, int length) {
    const std::vector<Bits> &known = blocks_[within & Mask(shape_.root_bits)];
    for (int attempt = 0; attempt < 16 && !known.empty(); ++attempt)
      if (const Bits block = known[Below(known.size())]; (block & Mask(length)) == within)
        return block;
    return std::nullopt;
  }

  // The length of the longest prefix that covers it; 0: none does.
  int CoverOf(Bits bits, int length) const {
    for (int shorter = length - 1; shorter > 0; --shorter)
      if (by_length_[shorter].hops.contains(bits & Mask(shorter))) return shorter;
    return 0;
  }

  void Add(const CoverCount &cover, Bits parent, Bits bits) {
    std::uint8_t hop = Percent(30) ? std::uint8_t{0} : static_cast<std::uint8_t>(Below(kHops));
    if (cover.parent != 0) {
      const Bits above = bits & Mask(cover.parent);
      if (above == parent) by_length_[cover.parent].parents.push_back(parent);
      if (Percent(60)) hop = by_length_[cover.parent].hops[above];
    }
    if (cover.length > Block())
      blocks_[bits & Mask(shape_.root_bits)].push_back(bits & Mask(Block()));
    Length &own = by_length_[cover.length];
    own.all.push_back(bits);
    own.hops[bits] = hop;
    table_.push_back({{AddressOf(shape_.family, bits), cover.length}, hop});
  }

  const Shape &shape_;
  const std::size_t count_;
  std::mt19937_64 random_;
  std::discrete_distribution<std::size_t> roots_;
  std::vector<Length> by_length_;
  absl::flat_hash_map<Bits, std::vector<Bits>> blocks_;  // first bits of prefixes, by root
  std::vector<DrawnRoute> table_;
};

}  // namespace

std::vector<DrawnRoute> DrawTable(const Shape &shape, std::size_t count, std::uint64_t seed) {
  return Drawer(shape, count, seed).Run();
}

std::vector<IpAddress> DrawAddresses(const std::vector<DrawnRoute> &table, std::size_t count,
                                     std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<IpAddress> addresses;
  addresses.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Prefix &prefix = table[random() % table.size()].dst;
    IpAddress::Bytes bytes = prefix.address.bytes();
    for (int bit = prefix.length; bit < prefix.address.bits(); ++bit)
      if (random() % 2)
        bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | 0x80 >> bit % 8);
    addresses.push_back(IpAddress::FromBytes(prefix.address.family(), bytes.data()));
  }
  return addresses;
}

}  // namespace srcsel::bench
