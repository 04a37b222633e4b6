#include "lookup/siphash.hh"

#include <array>
#include <numeric>

#include <gtest/gtest.h>

namespace srcsel {
namespace {

// The vectors that its authors publish: the key is 00 01 ... 0f, the message of length n is
// 00 01 ... n-1.
TEST(SipHash, GivesThePublishedValues) {
  const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  const std::array<std::uint64_t, 16> published = {
      0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
      0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
      0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
      0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};
  std::array<std::uint8_t, 16> message;
  std::iota(message.begin(), message.end(), std::uint8_t{0});
  for (std::size_t length = 0; length < published.size(); ++length)
    EXPECT_EQ(SipHash(key, std::span(message).first(length)), published[length]) << length;
}

TEST(SipHash, UsesBothHalvesOfTheKey) {
  const std::array<std::uint8_t, 3> message = {1, 2, 3};
  EXPECT_NE(SipHash({1, 2}, message), SipHash({3, 2}, message));
  EXPECT_NE(SipHash({1, 2}, message), SipHash({1, 3}, message));
}

}  // namespace
}  // namespace srcsel
