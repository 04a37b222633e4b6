// Choices that a seed determines.

#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace srcsel {

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : random_(seed) {}

  std::size_t Below(std::size_t end) { return random_() % end; }
  // Once in `n` times.
  bool OneIn(std::size_t n) { return Below(n) == 0; }
  template <typename T>
  T Of(const std::vector<T> &all) {
    return all[Below(all.size())];
  }
  std::string Word(const std::vector<const char *> &all) { return Of(all); }

 private:
  std::mt19937 random_;
};

}  // namespace srcsel
