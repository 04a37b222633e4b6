// SipHash-2-4 with a key, as Aumasson and Bernstein publish it and the kernel's siphash() computes.
//
// Pure; the same on every byte order. Cost: about a nanosecond for each eight bytes, plus eight.

#pragma once

#include <cstdint>
#include <span>

namespace srcsel {

// The key's first and second eight bytes, read as little-endian words.
struct SipKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

std::uint64_t SipHash(const SipKey &key, std::span<const std::uint8_t> bytes);

}  // namespace srcsel
