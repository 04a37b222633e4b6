// The moment at which waiting ends.
//
// A timeout becomes a Deadline where the wait is asked for, so that one Deadline handed through
// several waits bounds their sum. Taken from the monotonic clock.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace srcsel::lab {

// Only a failing test waits this long, so it is generous. An emulated machine, thirty times slower,
// asks for more by SRCSEL_PATIENCE, in seconds.
// NOLINTNEXTLINE(readability-identifier-naming): a constant in all but the word
inline const std::chrono::seconds kPatience{
    std::atoi(std::getenv("SRCSEL_PATIENCE") ? std::getenv("SRCSEL_PATIENCE") : "60")};

class Deadline {
 public:
  // Implicit, so that `Wait(5s)` reads as it is meant.
  template <typename Rep, typename Period>
  // NOLINTNEXTLINE(google-explicit-constructor)
  Deadline(std::chrono::duration<Rep, Period> timeout) : end_(Clock::now() + timeout) {}

  bool Passed() const { return Clock::now() >= end_; }

  // What is left, as poll() takes it: 0 once the moment has passed.
  int PollTimeout() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
    return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point end_;
};

}  // namespace srcsel::lab
