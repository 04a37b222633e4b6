#include "image/key.hh"

#include <gtest/gtest.h>

#include "engine/key.h"
#include "fixtures.hh"

namespace srcsel {
namespace {

TEST(Key, LaysAddressesOutFromTheTop) {
  const srcsel_key v4 = KeyOf(Address("10.1.2.3")), v6 = KeyOf(Address("2001:db8::1"));
  EXPECT_EQ(std::pair(v4.hi, v4.lo), std::pair(0x0a01020300000000ull, 0ull));
  EXPECT_EQ(std::pair(v6.hi, v6.lo), std::pair(0x20010db800000000ull, 1ull));
}

TEST(Key, MasksAreOnesFromTheTop) {
  EXPECT_EQ(MaskOf(0).hi | MaskOf(0).lo, 0u);
  EXPECT_EQ(MaskOf(1).hi, 1ull << 63);
  EXPECT_EQ(std::pair(MaskOf(64).hi, MaskOf(64).lo), std::pair(~0ull, 0ull));
  EXPECT_EQ(std::pair(MaskOf(65).hi, MaskOf(65).lo), std::pair(~0ull, 1ull << 63));
  EXPECT_EQ(std::pair(MaskOf(128).hi, MaskOf(128).lo), std::pair(~0ull, ~0ull));
}

TEST(Key, WireFormsGoThereAndBack) {
  for (const char *text : {"10.1.2.3", "255.255.255.255", "2001:db8::1"}) {
    __u8 wire[16];
    CopyWire(Address(text), wire);
    EXPECT_EQ(FromWire(FamilyOf(Address(text)), wire), Address(text));
  }
}

TEST(Key, ABitOutsideAMatchIsSeenInEitherWord) {
  for (int length = 0; length <= 128; ++length) {
    const srcsel_match match{{}, MaskOf(length)};
    for (int bit = 0; bit < 128; ++bit) {
      srcsel_key key{};
      (bit < 64 ? key.hi : key.lo) = 1ull << (63 - bit % 64);
      EXPECT_EQ(srcsel_outside(&key, &match) != 0, bit < length) << length << ' ' << bit;
    }
  }
}

TEST(Key, RangesIncludeBothEnds) {
  const __u32 most = 0xffffffff;
  struct {
    __u32 number, first, last;
    __u64 beyond;
  } const cases[] = {
      {0, 0, 0, 0},
      {1, 0, 0, 1},
      {most, 0, 0, 1},
      {5, 5, 9, 0},
      {9, 5, 9, 0},
      {4, 5, 9, 1},
      {10, 5, 9, 1},
      {0, 5, most, 1},
      {most, 5, most, 0},
      {most, most, most, 0},
      {most - 1, most, most, 1},
      {0, 0, most, 0},
      {most, 0, most, 0},
      {most, 5, 9, 1},
  };
  for (const auto &c : cases)
    EXPECT_EQ(srcsel_beyond(c.number, c.first, c.last), c.beyond)
        << c.number << " in " << c.first << ".." << c.last;
}

TEST(Key, ZeroIsToldFromEveryOtherNumber) {
  EXPECT_EQ(srcsel_is_zero(0), 1u);
  for (int bit = 0; bit < 64; ++bit) EXPECT_EQ(srcsel_is_zero(1ull << bit), 0u) << bit;
  EXPECT_EQ(srcsel_is_zero(~0ull), 0u);
}

TEST(Key, BitsAreTakenFromTheTopAcrossWords) {
  srcsel_key key{0x0123456789abcdef, 0xfedcba9876543210};
  const __u32 expected[] = {0x0, 0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8, 0x9, 0xa,
                            0xb, 0xc, 0xd, 0xe, 0xf, 0xf, 0xe, 0xd, 0xc, 0xb, 0xa,
                            0x9, 0x8, 0x7, 0x6, 0x5, 0x4, 0x3, 0x2, 0x1, 0x0};
  for (const __u32 digit : expected) EXPECT_EQ(srcsel_take(&key, 4), digit);
  EXPECT_EQ(key.hi, 0x0123456789abcdef);
  EXPECT_EQ(key.lo, 0xfedcba9876543210);
}

}  // namespace
}  // namespace srcsel
