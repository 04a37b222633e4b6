// Random choices that a seed repeats.
//
// The seed is fixed unless the environment's SRCSEL_SEED names another; every test prints it.

#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"

namespace srcsel {

inline std::uint64_t Seed() {
  std::uint64_t seed = 20240229;
  if (const char *text = std::getenv("SRCSEL_SEED"))
    if (!absl::SimpleAtoi(text, &seed)) std::cout << "SRCSEL_SEED is no number: ";
  std::cout << "SRCSEL_SEED=" << seed << std::endl;
  return seed;
}

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  // 0 to limit - 1.
  unsigned Below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  // True once in `times`.
  bool Once(unsigned times) { return Below(times) == 0; }
  template <typename T>
  const T &OneOf(const std::vector<T> &items) {
    return items[random_() % items.size()];
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace srcsel
